import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { PluginManager } from "../manager/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { assertCode, assertThrowsCode } from "./_errors.ts";
import { collectEvents } from "./_events.ts";
import { tempDirectory } from "./_temp.ts";

const globals = globalThis as { hotplugTest?: number };

Deno.test("twenty opens of one file at the same time evaluate it once", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(
    directory.path,
    "globalThis.hotplugTest = (globalThis.hotplugTest ?? 0) + 1;",
  );
  await using manager = new PluginManager();
  using events = collectEvents(manager);
  try {
    const all = await Promise.all(Array.from({ length: 20 }, () => manager.open(path)));
    for (const each of all) assertStrictEquals(each, all[0]);
    assertEquals(globals.hotplugTest, 1);
    assertEquals(events.all.map((each) => each.type), ["loaded"]);
  } finally {
    delete globals.hotplugTest;
  }
});

Deno.test("twenty opens of one bad file at the same time fail alike, with one event", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, "throw new Error('no');");
  await using manager = new PluginManager();
  using events = collectEvents(manager);
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => manager.open(path)));
  assert(all.every((each) => each.status === "rejected" && each.reason.code === "load"));
  assertEquals(events.all.length, 1);
});

Deno.test("of twenty SCNs opened at the same time the newest ends up current", async () => {
  await using directory = await tempDirectory();
  const scns = Array.from({ length: 20 }, (_, n) => SCN + (n * 7) % 20);
  const files = await Promise.all(
    scns.map((scn) => writeArtifact(directory.path, `export const scn = () => ${scn};`, { scn })),
  );
  await using manager = new PluginManager();
  await Promise.allSettled(files.map(({ path }) => manager.open(path)));
  assertEquals(manager.current("pricing")?.scn, SCN + 19);
  assertEquals(await manager.current("pricing")?.call("scn"), SCN + 19);
  const loaded = manager.generations("pricing").map((each) => each.scn);
  assertEquals(loaded, loaded.toSorted());
  const states = manager.generations("pricing").map((each) => each.state);
  assertEquals(states.filter((state) => state === "current"), ["current"]);
});

Deno.test("a failed open does not keep a later one of the same file from loading", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(
    directory.path,
    "if (!globalThis.hotplugTest) throw new Error('not yet'); export const ready = true;",
  );
  await using manager = new PluginManager();
  await assertCode(manager.open(path), "load");
  try {
    globals.hotplugTest = 1;
    assertEquals((await manager.open(path)).lookup("ready"), true);
  } finally {
    delete globals.hotplugTest;
  }
});

Deno.test("close gives up an activation that hangs, and aborts its signal", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(
    directory.path,
    `export const activate = ({ config, signal }) => {
       signal.addEventListener("abort", () => config.aborted(signal.reason));
       config.started();
       return new Promise(() => {});
     };`,
  );
  const started = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<{ code?: string }>();
  const config = { pricing: { started: started.resolve, aborted: aborted.resolve } };
  const manager = new PluginManager({ config, activateDeadline: 60_000 });
  const opening = assertCode(manager.open(path), "closed");
  await started.promise;
  await manager.close();
  await opening;
  assertEquals((await aborted.promise).code, "closed");
});

Deno.test("close ends openNewest while it waits for a bare module", async () => {
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, "export {}", { info: false });
  const manager = new PluginManager({ bareSettle: 60_000 });
  const opening = assertCode(manager.openNewest(directory.path, "pricing"), "closed");
  await Promise.resolve();
  await manager.close();
  await opening;
});

Deno.test("a plugin's signal is aborted when its manager closes", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(
    directory.path,
    "export let signal; export const activate = (context) => { ({ signal } = context); };",
  );
  const manager = new PluginManager();
  const signal = (await manager.open(path)).lookup<AbortSignal>("signal");
  assertEquals(signal.aborted, false);
  await manager.close();
  assertEquals(signal.aborted, true);
  assertEquals(signal.reason.code, "closed");
});

Deno.test("a manager closes twice as well as once, and after that all is closed", async () => {
  await using directory = await tempDirectory();
  const { path, infoPath } = await writeArtifact(directory.path, "export const one = () => 1;");
  const manager = new PluginManager();
  const generation = await manager.open(path);
  const lease = manager.acquire("pricing");
  const closing = manager.close();
  assertThrowsCode(() => manager.acquire("pricing"), "closed");
  await Promise.all([closing, manager.close(), manager[Symbol.asyncDispose]()]);
  await assertCode(manager.open(path), "closed");
  await assertCode(manager.openInfo(infoPath), "closed");
  await assertCode(manager.openNewest(directory.path, "pricing"), "closed");
  assertThrowsCode(() => manager.acquire("pricing"), "closed");
  assertThrowsCode(() => lease.lookup("one"), "closed");
  await assertCode(lease.call("one"), "closed");
  assertThrowsCode(() => generation.lookup("one"), "closed");
  await assertCode(generation.call("one"), "closed");
  assertEquals(manager.current("pricing"), undefined);
  assertEquals(manager.generations("pricing"), []);
  assertEquals(manager.names(), []);
  lease[Symbol.dispose]();
});

Deno.test("a manager that opened nothing closes", async () => {
  await using _manager = new PluginManager();
});
