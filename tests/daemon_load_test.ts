import { assert, assertEquals } from "@std/assert";
import { formatInfo } from "../artifact/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { counted, evaluations, makeDaemon, publish, startDaemon, takeLock } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

Deno.test("A daemon loads the newest of each plugin at its start, and opens no older one", async () => {
  await using directory = await tempDirectory();
  for (const name of ["pricing", "tax"]) {
    for (const scn of [SCN, SCN + 2, SCN + 1]) {
      await writeArtifact(directory.path, counted(`start ${name} ${scn}`, scn), { name, scn });
    }
  }
  await using fixture = makeDaemon([directory.path]);
  await fixture.daemon.start();

  assertEquals(fixture.events.of("loaded").map(({ name, scn }) => [name, scn]).sort(), [
    ["pricing", SCN + 2],
    ["tax", SCN + 2],
  ]);
  assertEquals(evaluations(`start pricing ${SCN + 2}`), 1);
  for (const name of ["pricing", "tax"]) {
    for (const scn of [SCN, SCN + 1]) assertEquals(evaluations(`start ${name} ${scn}`), 0);
  }
  const types = fixture.events.all.map(({ type }) => type);
  assertEquals(types, ["watch", "loaded", "loaded", "ready"]);
  const [ready] = fixture.events.of("ready");
  assertEquals(ready?.plugins, ["pricing", "tax"]);
  assertEquals(ready?.watch, [directory.path]);
});

Deno.test("A daemon swaps a new artifact in while the older generation answers its lease", async () => {
  await using fixture = await startDaemon();
  await publish(fixture.path, counted("swap 1", "one"));
  await fixture.loaded("pricing", SCN);
  using lease = fixture.daemon.manager.acquire("pricing");

  await publish(fixture.path, counted("swap 2", "two"), { scn: SCN + 1 });
  const { previous } = await fixture.loaded("pricing", SCN + 1);
  assertEquals(previous, SCN);
  using newer = fixture.daemon.manager.acquire("pricing");
  assertEquals([await lease.call("answer"), await newer.call("answer")], ["one", "two"]);
  assertEquals(fixture.daemon.manager.generations("pricing").length, 2);
});

Deno.test("A daemon leaves an older artifact alone", async () => {
  await using fixture = await startDaemon();
  await publish(fixture.path, counted("older 2", 2), { scn: SCN + 1 });
  await fixture.loaded("pricing");
  await publish(fixture.path, counted("older 1", 1));
  await fixture.daemon.scan();
  assertEquals(evaluations("older 1"), 0);
  assertEquals(fixture.events.of("skipped"), []);
});

Deno.test("A daemon does not look at an artifact below its initial SCN", async () => {
  await using fixture = await startDaemon({ initialScn: SCN + 1 });
  await publish(fixture.path, counted("below", 1));
  await publish(fixture.path, counted("at", 1), { scn: SCN + 1 });
  await fixture.loaded("pricing", SCN + 1);
  assertEquals(evaluations("below"), 0);
});

Deno.test("A daemon does not open an artifact until its lock is gone", async () => {
  await using fixture = await startDaemon();
  const lock = await takeLock(fixture.path, {});
  await fixture.daemon.scan();
  const written = await writeArtifact(fixture.path, counted("locked", 1), { info: false });
  await fixture.daemon.scan();
  await writeArtifact(fixture.path, counted("locked", 1));
  await fixture.daemon.scan();
  assertEquals(evaluations("locked"), 0);
  assertEquals(fixture.events.all.map(({ type }) => type), ["watch", "ready"]);

  await Deno.remove(lock);
  assertEquals((await fixture.loaded("pricing")).path, written.path);
  assertEquals(fixture.events.of("failed"), []);
});

Deno.test("A lock of one build holds up no other build of the plugin", async () => {
  await using fixture = await startDaemon();
  const lock = await takeLock(fixture.path, { scn: SCN + 1 });
  await publish(fixture.path, counted("other build", 1));
  await fixture.loaded("pricing", SCN);
  await Deno.remove(lock);
});

Deno.test("An info file that comes late completes the record without another evaluation", async () => {
  await using fixture = await startDaemon();
  await writeArtifact(fixture.path, counted("late info", 1), { info: false });
  await fixture.loaded("pricing");
  assertEquals(fixture.daemon.manager.current("pricing")?.info, undefined);

  const { info } = await writeArtifact(fixture.path, counted("late info", 1));
  // Once to see it, and once more since what was just written is given the time to settle.
  await fixture.daemon.scan();
  await waitUntil(fixture, () => fixture.daemon.manager.current("pricing")?.info !== undefined);
  assertEquals(fixture.daemon.manager.current("pricing")?.info, info);
  assertEquals(evaluations("late info"), 1);
  assertEquals(fixture.events.of("loaded").length, 1);
  assertEquals(
    fixture.events.all.filter(({ type }) => type === "failed" || type === "conflict"),
    [],
  );
});

Deno.test("A bare module that is written in pieces is opened when it stood still, not before", async () => {
  await using fixture = await startDaemon({ bareSettle: 1_200 });
  const { path } = await writeArtifact(fixture.path, "", { info: false });
  using file = await Deno.open(path, { write: true });
  let last = 0;
  for (const piece of ["export const ", "answer = ", `() => "whole"`, ";\n"]) {
    await file.write(new TextEncoder().encode(piece));
    last = Date.now();
    await fixture.daemon.scan();
    assertEquals(fixture.events.of("failed"), []);
    assertEquals(fixture.events.of("loaded"), []);
  }
  await fixture.loaded("pricing");
  assert(Date.now() - last >= 1_190, `it was opened ${Date.now() - last} ms after the last piece`);
  assertEquals(await fixture.daemon.manager.current("pricing")?.call("answer"), "whole");
  assertEquals(fixture.events.of("failed"), []);
});

Deno.test("A bare module whose time lies in the future is opened once it was seen to stand still", async () => {
  await using fixture = await startDaemon({ bareSettle: 200 });
  const { path } = await writeArtifact(fixture.path, counted("future", 1), { info: false });
  await Deno.utime(path, new Date("2099-01-01"), new Date("2099-01-01"));
  await fixture.loaded("pricing");
  // Its twin, too.
  await Deno.writeTextFile(path, counted("future twin", 2));
  await Deno.utime(path, new Date("2099-01-02"), new Date("2099-01-02"));
  await fixture.events.next(({ type }) => type === "conflict");
});

Deno.test("A conflict is among what does not load, for as long as it is there", async () => {
  await using fixture = await startDaemon();
  const failing = () => fixture.daemon.status().failing.map(({ path, code }) => [path, code]);
  const good = counted("conflict", 1);
  await publish(fixture.path, good);
  await fixture.loaded("pricing");
  const { path } = await publish(fixture.path, counted("conflict", 2));
  await fixture.events.next(({ type }) => type === "conflict");
  await waitUntil(fixture, () => failing().length > 0);
  assertEquals(failing(), [[path, "conflict"]]);
  await fixture.daemon.scan();
  assertEquals(failing(), [[path, "conflict"]]);
  await publish(fixture.path, good);
  await fixture.daemon.scan();
  await waitUntil(fixture, () => failing().length === 0);
  await publish(fixture.path, counted("conflict", 3));
  await waitUntil(fixture, () => fixture.events.of("conflict").length === 2);
  await waitUntil(fixture, () => failing().length > 0);
  await Deno.remove(path);
  await waitUntil(fixture, () => failing().length === 0);
  await publish(fixture.path, counted("conflict", 4), { scn: SCN + 1 });
  await fixture.loaded("pricing", SCN + 1);
  assertEquals(failing(), []);
});

Deno.test("A bare newest one that has not settled lets the next older one serve meanwhile", async () => {
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, counted("meanwhile", 1));
  await writeArtifact(directory.path, counted("newest", 2), { scn: SCN + 1, info: false });
  await using fixture = makeDaemon([directory.path], { bareSettle: 700 });
  await fixture.daemon.start();
  assertEquals(fixture.daemon.manager.current("pricing")?.scn, SCN);
  await fixture.loaded("pricing", SCN + 1);
});

Deno.test("A host that requires info files opens a bare module only when it has got one", async () => {
  await using fixture = await startDaemon({ requireInfo: true });
  await writeArtifact(fixture.path, counted("required", 1), { info: false });
  const { final } = await fixture.failed("incomplete");
  assertEquals(final, false);
  assertEquals(evaluations("required"), 0);
  await writeArtifact(fixture.path, counted("required", 1));
  await fixture.loaded("pricing");
});

Deno.test("An info file that is just being written is waited for", async () => {
  await using fixture = await startDaemon({ bareSettle: 60_000 });
  const written = await writeArtifact(fixture.path, counted("empty info", 1), { info: false });
  using info = await Deno.open(written.infoPath, { createNew: true, write: true });
  await fixture.daemon.scan();
  assertEquals(fixture.events.of("failed"), []);
  await info.write(new TextEncoder().encode(formatInfo(written.info)));
  await fixture.loaded("pricing");
  assertEquals(fixture.events.of("failed"), []);
});

/** Scans until it holds; fails after some seconds. */
async function waitUntil(
  fixture: { readonly daemon: { scan(): Promise<void> } },
  holds: () => boolean,
): Promise<void> {
  const end = performance.now() + 5_000;
  while (!holds()) {
    assert(performance.now() < end, "it did not hold within 5 s");
    await fixture.daemon.scan();
  }
}
