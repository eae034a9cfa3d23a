import { assertEquals } from "@std/assert";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { counted, makeDaemon, publish, startDaemon } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

Deno.test("However builds, removals and scans fall together, the newest of each plugin ends up loaded", async () => {
  await using first = await tempDirectory();
  await using second = await tempDirectory();
  await using fixture = makeDaemon([first.path, second.path], { scanInterval: 20, bareSettle: 5 });
  await fixture.daemon.start();
  const plugins = ["one", "two", "three", "four"];
  const versions = 15;
  await Promise.all(plugins.map(async (name, index) => {
    for (let version = 0; version < versions; version++) {
      const folder = (version + index) % 2 === 0 ? first : second;
      const scn = SCN + version;
      const written = await publish(folder.path, counted(`race ${name}`, version), { name, scn });
      // Some go again at once, as a clean-up at the wrong moment makes them.
      if (version % 4 === 1) await Deno.remove(written.path);
    }
  }));
  for (const name of plugins) await fixture.loaded(name, SCN + versions - 1);
  for (const name of plugins) {
    const answer = await fixture.daemon.manager.current(name)?.call("answer");
    assertEquals(answer, versions - 1);
  }
  // A file that went between its listing and its opening may be told of; nothing else went wrong.
  const wrong = fixture.events.of("failed").filter(({ code }) => code !== "io");
  assertEquals(wrong, []);
  assertEquals(fixture.events.of("conflict"), []);
});

Deno.test("A file that is rewritten again and again is never loaded in part", async () => {
  await using fixture = await startDaemon({ bareSettle: 300, scanInterval: 10 });
  const whole = (round: number): string =>
    `${counted("rewritten", round)}/* ${"x".repeat(200_000)} */ export const end = ${round};`;
  const { path } = await writeArtifact(fixture.path, "", { info: false });
  for (let round = 0; round < 20; round++) {
    await Deno.writeTextFile(path, whole(round));
    await fixture.daemon.scan();
  }
  await fixture.loaded("pricing");
  // Where the machine is slow the file may stand still between two rounds: then that one is loaded.
  const loaded = fixture.daemon.manager.current("pricing");
  assertEquals(loaded?.lookup("end"), await loaded?.call("answer"));
  assertEquals(fixture.events.of("failed"), []);
});

Deno.test("A plugin that publishes its own successor at its top level is followed", async () => {
  await using fixture = await startDaemon();
  await using elsewhere = await tempDirectory();
  const next = await writeArtifact(elsewhere.path, counted("successor", 2), { scn: SCN + 1 });
  const move = [next.path, next.infoPath].map((path) => [
    path,
    path.replace(elsewhere.path, fixture.path),
  ]);
  await publish(
    fixture.path,
    `for (const [from, to] of ${JSON.stringify(move)}) await Deno.rename(from, to);`,
  );
  await fixture.loaded("pricing", SCN + 1);
  assertEquals(fixture.events.of("loaded").map(({ scn }) => scn), [SCN, SCN + 1]);
});

Deno.test("A listener that throws does not keep the daemon from going on", async () => {
  await using fixture = await startDaemon();
  const reported: unknown[] = [];
  const keep = (event: ErrorEvent): void => {
    reported.push(event.error);
    event.preventDefault();
  };
  globalThis.addEventListener("error", keep);
  const thrown = new Error("a listener's own");
  using _subscription = fixture.daemon.subscribe(() => {
    throw thrown;
  });
  await publish(fixture.path, counted("listened", 1));
  await fixture.loaded("pricing");
  await publish(fixture.path, counted("listened", 2), { scn: SCN + 1 });
  await fixture.loaded("pricing", SCN + 1);
  globalThis.removeEventListener("error", keep);
  assertEquals(reported.every((each) => each === thrown), true);
});
