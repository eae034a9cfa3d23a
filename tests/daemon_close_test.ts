import { assert, assertEquals } from "@std/assert";
import { assertCode } from "./_errors.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { counted, makeDaemon, makeHang, publish, startDaemon, within } from "./_daemon.ts";
import { jsonLines, startScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

Deno.test("Closing twice is as good as once, and the last event says that it stopped", async () => {
  await using fixture = await startDaemon();
  await publish(fixture.path, counted("closing", 1));
  await fixture.loaded("pricing");
  const [first, second] = [fixture.daemon.close(), fixture.daemon.close()];
  assert(first === second);
  await first;
  await publish(fixture.path, counted("closed", 1), { scn: SCN + 1 });
  assertEquals(fixture.events.all.at(-1)?.type, "stopped");
  assertEquals(fixture.events.of("stopped").length, 1);
  await assertCode(fixture.daemon.scan(), "closed");
});

Deno.test("A daemon that was never started can be closed, and not be started then", async () => {
  await using directory = await tempDirectory();
  await using fixture = makeDaemon([directory.path]);
  await fixture.daemon.close();
  assertEquals(fixture.events.all.map(({ type }) => type), ["stopped"]);
  await assertCode(fixture.daemon.start(), "closed");
});

Deno.test("Closing right after the start ends the start", async () => {
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, counted("hardly started", 1));
  await using fixture = makeDaemon([directory.path]);
  const started = fixture.daemon.start();
  await fixture.daemon.close();
  await started;
  assertEquals(fixture.events.of("ready"), []);
  assertEquals(fixture.events.all.at(-1)?.type, "stopped");
});

Deno.test("Closing at any step of the start leaves nothing behind", async () => {
  await using directory = await tempDirectory();
  for (const name of ["one", "two", "three"]) {
    await writeArtifact(directory.path, counted(`step ${name}`, 1), { name });
  }
  for (let turns = 0; turns < 60; turns += 3) {
    await using fixture = makeDaemon([directory.path]);
    const started = fixture.daemon.start();
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    await within(5_000, "closing", fixture.daemon.close());
    await started;
    assertEquals(fixture.events.all.at(-1)?.type, "stopped");
    assertEquals(fixture.events.of("failed"), []);
  }
});

Deno.test("Closing does not wait for a load that hangs, during the start or later", async () => {
  for (const when of ["start", "later"]) {
    await using hang = makeHang();
    await using directory = await tempDirectory();
    if (when === "start") await writeArtifact(directory.path, hang.source);
    await using fixture = makeDaemon([directory.path], { loadDeadline: 60_000 });
    const started = fixture.daemon.start();
    if (when === "later") {
      await started;
      await publish(directory.path, hang.source);
    }
    await hang.entered;
    await within(5_000, "closing", fixture.daemon.close());
    await started;
    const stopped = fixture.events.all.at(-1);
    assertEquals(stopped?.type, "stopped");
    assertEquals(fixture.events.of("failed"), []);
  }
});

Deno.test("Closing does not wait for a retry, a settling file, or a future SCN", async () => {
  await using fixture = await startDaemon({ retryMin: 60_000, bareSettle: 60_000 });
  await publish(fixture.path, "throw new Error('no')", { name: "throws" });
  await writeArtifact(fixture.path, "", { name: "bare", info: false });
  await writeArtifact(fixture.path, "", { name: "future", scn: 29990101000000 });
  await fixture.failed("load");
  await fixture.daemon.scan();
  await within(5_000, "closing", fixture.daemon.close());
});

Deno.test("The events end when the daemon is closed", async () => {
  await using fixture = await startDaemon();
  const reading = Array.fromAsync(fixture.daemon.events(), ({ type }) => type);
  await publish(fixture.path, counted("iterated", 1));
  await fixture.loaded("pricing");
  await fixture.daemon.close();
  assertEquals(await within(5_000, "the iterator", reading), ["loaded", "stopped"]);
});

Deno.test("What a plugin does after the daemon stopped makes no event", async () => {
  await using fixture = await startDaemon();
  const holder = globalThis as { lateOfTest?: () => void };
  await publish(
    fixture.path,
    `globalThis.lateOfTest = () => { try { Deno.exit(3); } catch { return "kept"; } };`,
  );
  await fixture.loaded("pricing");
  assertEquals(holder.lateOfTest?.() as unknown, "kept");
  const told = fixture.events.all.length;
  assertEquals(fixture.events.of("failed").map(({ code }) => code), ["exit"]);
  await fixture.daemon.close();
  assertEquals(fixture.events.all.length, told + 1);
  delete holder.lateOfTest;
});

Deno.test("A closed daemon keeps no process alive, a hanging plugin in it or not", async () => {
  await using directory = await tempDirectory();
  await Deno.mkdir(directory.file("plugins"));
  await writeArtifact(directory.file("plugins"), "await new Promise(() => {});", { name: "hangs" });
  await writeArtifact(directory.file("plugins"), counted("in a child", 1), { name: "good" });
  const child = await startScript(
    directory.path,
    `import { PluginDaemon } from "project:daemon/mod.ts";
     const daemon = new PluginDaemon({ watch: [${JSON.stringify(directory.file("plugins"))}] });
     const loaded = Promise.withResolvers();
     daemon.subscribe((event) => {
       console.log(JSON.stringify(event));
       if (event.type === "loaded") loaded.resolve();
     });
     void daemon.start();
     await loaded.promise;
     await daemon.close();`,
  );
  await child.stdin.close();
  const { stdout } = await within(30_000, "the child's end", child.output());
  const events = jsonLines<{ type: string }>(new TextDecoder().decode(stdout));
  assertEquals(events.at(-1)?.type, "stopped");
});

Deno.test("close waits for who holds a generation, for as long as it may", async () => {
  await using fixture = await startDaemon();
  const { daemon, path, loaded } = fixture;
  await publish(path, "export const answer = () => 1; export const deactivate = () => {};");
  await loaded("pricing");
  const lease = daemon.manager.acquire("pricing");
  const closing = daemon.close({ drain: 10_000 });
  await new Promise((resolve) => setTimeout(resolve, 0));
  // It is still there for who has it.
  assertEquals(await lease.call("answer"), 1);
  lease[Symbol.dispose]();
  await closing;
});

Deno.test("close gives up those who don't leave, once the time is over", async () => {
  await using fixture = await startDaemon();
  const { daemon, path, loaded } = fixture;
  await publish(path, "export const answer = () => 1;");
  await loaded("pricing");
  using _lease = daemon.manager.acquire("pricing");
  await daemon.close({ drain: 50 });
  assertEquals(daemon.status().closed, true);
});

Deno.test("Closing lists what is watched, and nothing that is polled: it may lie far away", async () => {
  const listed: string[] = [];
  const { readDir, readDirSync } = Deno;
  const note = <T>(list: (path: string | URL) => T) => (path: string | URL): T => {
    listed.push(String(path));
    return list(path);
  };
  for (const poll of [0, 60_000]) {
    await using directory = await tempDirectory();
    await using fixture = makeDaemon([directory.path], { poll });
    await fixture.daemon.start();
    try {
      Object.assign(Deno, { readDir: note(readDir), readDirSync: note(readDirSync) });
      await fixture.daemon.close();
    } finally {
      Object.assign(Deno, { readDir, readDirSync });
    }
    assertEquals(listed.splice(0).includes(directory.path), poll === 0);
  }
});
