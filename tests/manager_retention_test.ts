import { exists } from "@std/fs";
import { dirname, fromFileUrl } from "@std/path";
import { assert, assertEquals } from "@std/assert";
import { PluginManager, type Retention } from "../manager/mod.ts";
import { overdue } from "../manager/settings/retention.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { assertCode } from "./_errors.ts";
import { collectEvents } from "./_events.ts";
import { tempDirectory } from "./_temp.ts";

async function open(manager: PluginManager, folder: string, version: number) {
  const source = `export const answer = () => ${version}; export const url = import.meta.url;
    export const fails = () => { throw new Error("no"); };`;
  const { path } = await writeArtifact(folder, source, { scn: SCN + version });
  return await manager.open(path);
}

const all = { count: Infinity, age: Infinity, bytes: Infinity };
const cases: [string, Retention, (number | undefined)[], number[]][] = [
  ["keeps all by default", {}, [1, 2, 3, undefined], []],
  ["keeps so many, the current one included", { count: 2 }, [1, 2, 3, undefined], [0, 1]],
  ["keeps the current one in any case", { count: 1 }, [undefined], []],
  ["passes over what is in use", { count: 2 }, [undefined, 2, undefined, undefined], [1]],
  ["retires what was parked too long ago", { age: 100 }, [10, 890, 905, undefined], [0, 1]],
  ["keeps so many bytes, the oldest go first", { bytes: 25 }, [1, 2, 3, undefined], [0, 1]],
];

for (const [what, retention, parked, expected] of cases) {
  Deno.test(`retention ${what}`, () => {
    const generations = parked.map((parkedAt, index) => ({ parkedAt, bytes: 10, index }));
    const gone = overdue(generations, { ...all, ...retention }, 1000);
    assertEquals(gone.map(({ index }) => index), expected);
  });
}

Deno.test("inline all generations are kept unless the host says otherwise", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  for (let version = 1; version <= 5; version++) await open(manager, directory.path, version);
  assertEquals(manager.generations("pricing").length, 5);
});

Deno.test("what is not kept is retired: it is told, can't be used, and its files go", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager({ retention: { count: 2 } });
  using events = collectEvents(manager);
  const first = await open(manager, directory.path, 1);
  const lease = manager.acquire("pricing");
  const placed = [first.lookup<string>("url")];
  const openNext = async (version: number) =>
    void placed.push((await open(manager, directory.path, version)).lookup<string>("url"));
  for (const version of [2, 3, 4]) await openNext(version);
  await events.next(() => events.of("retired").length === 2);
  // What is held is kept, however old it is.
  assertEquals(manager.generations("pricing").map(({ scn }) => scn), [SCN + 1, SCN + 4]);
  assertEquals(await lease.call("answer"), 1);
  lease[Symbol.dispose]();
  await openNext(5);
  await events.next(() => events.of("retired").length === 3);
  const retired = events.of("retired").map(({ scn }) => scn);
  // Two that go at the same time do so in any order: each waits for its own files.
  assertEquals([retired.slice(0, 2).sort(), retired.slice(2)], [[SCN + 2, SCN + 3], [SCN + 1]]);
  assertEquals(first.state, "retired");
  await assertCode(first.call("answer"), "retired");
  const left = await Promise.all(placed.map((url) => exists(dirname(fromFileUrl(url)))));
  assertEquals(left, [false, false, false, true, true]);
  await assertCode(manager.rollback("pricing", { to: SCN + 1 }), "not-found");
});

Deno.test("a generation that is too old to be kept goes when its time comes", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager({ retention: { age: 30 } });
  using events = collectEvents(manager);
  const old = await open(manager, directory.path, 1);
  await open(manager, directory.path, 2);
  const parkedAt = Date.now();
  const keep = setTimeout(() => {}, 5_000);
  await events.next(({ type }) => type === "retired");
  clearTimeout(keep);
  assert(Date.now() - parkedAt >= 25);
  assertEquals(old.state, "retired");
});

Deno.test("past its drain deadline even what is still held may be retired", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager({ retention: { count: 1 }, drainDeadline: 10 });
  using events = collectEvents(manager);
  const old = await open(manager, directory.path, 1);
  using lease = manager.acquire("pricing");
  await open(manager, directory.path, 2);
  assertEquals(await manager.drained(old), false);
  await events.next(({ type }) => type === "retired");
  await assertCode(lease.call("answer"), "retired");
});

Deno.test("what a probation goes back to is kept until that is over, whatever the retention", async () => {
  await using directory = await tempDirectory();
  const probation = { minCalls: 2 };
  await using manager = new PluginManager({ probation, retention: { count: 1 } });
  using events = collectEvents(manager);
  await open(manager, directory.path, 1);
  await open(manager, directory.path, 2);
  await fail(manager);
  const told = await events.next(({ type }) => type === "rolled-back");
  assert(told.type === "rolled-back" && told.automatic && told.scn === SCN + 1);
  assert(events.of("retired").every(({ scn }) => scn !== SCN + 1));
  manager.reconfigure({ probation: { ...probation, window: 50 }, retention: { count: 1 } });
  await open(manager, directory.path, 3);
  await events.next(() => events.of("retired").length === 2);
  assertEquals(manager.generations("pricing").map(({ scn }) => scn), [SCN + 3]);
});

Deno.test("what proved bad, and is still held, is not kept in the place of what a probation goes back to", async () => {
  await using directory = await tempDirectory();
  const probation = { minCalls: 2 };
  await using manager = new PluginManager({ probation, retention: { count: 2 } });
  using events = collectEvents(manager);
  await open(manager, directory.path, 1);
  await open(manager, directory.path, 2);
  using _slow = manager.acquire("pricing");
  await fail(manager);
  await events.next(({ type }) => type === "rolled-back");
  const good = manager.current("pricing")!;
  await open(manager, directory.path, 3);
  await manager.drained(good);
  await fail(manager);
  await events.next(() => events.of("rolled-back").length === 2);
  assertEquals([manager.current("pricing"), good.state], [good, "current"]);
});

Deno.test("what was rolled back from is retired before what a rollback goes back to", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager({ retention: { count: 2 } });
  using events = collectEvents(manager);
  await open(manager, directory.path, 1);
  await open(manager, directory.path, 2);
  await manager.rollback("pricing");
  await open(manager, directory.path, 3);
  const gone = await events.next(({ type }) => type === "retired");
  assertEquals("scn" in gone && gone.scn, SCN + 2);
  assertEquals(manager.previous("pricing")?.scn, SCN + 1);
  assertEquals((await manager.rollback("pricing")).scn, SCN + 1);
  assertEquals(manager.previous("pricing"), undefined);
});

Deno.test("what was rolled back from, and is still held, keeps nothing good from staying", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  using events = collectEvents(manager);
  for (const scn of [1, 2, 3]) await open(manager, directory.path, scn);
  const lease = manager.acquire("pricing");
  await manager.rollback("pricing");
  manager.reconfigure({ retention: { count: 3 } });
  await open(manager, directory.path, 4);
  lease[Symbol.dispose]();
  assertEquals((await events.next(({ type }) => type === "retired")).type, "retired");
  assertEquals(manager.generations("pricing").map(({ scn }) => scn - SCN), [1, 2, 4]);
});

Deno.test("a frozen plugin that fails its probation stays as it is until it is thawed", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager({ probation: { minCalls: 2 } });
  using events = collectEvents(manager);
  await open(manager, directory.path, 1);
  await open(manager, directory.path, 2);
  manager.freeze("pricing");
  await fail(manager);
  assertEquals([events.of("rolled-back"), events.of("failed")], [[], []]);
  manager.thaw("pricing");
  await fail(manager);
  await events.next(({ type }) => type === "rolled-back");
  assertEquals(manager.current("pricing")?.scn, SCN + 1);
});

async function fail(manager: PluginManager): Promise<void> {
  for (let n = 0; n < 2; n++) await manager.current("pricing")?.call("fails").catch(() => {});
}
