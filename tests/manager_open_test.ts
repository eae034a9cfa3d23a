import { toFileUrl } from "@std/path";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { type Lease, PluginManager } from "../manager/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { assertCode, assertThrowsCode } from "./_errors.ts";
import { runScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

const SOURCE = `
  export const rate = 2;
  export const table = { a: 1 };
  export function quote(n) { return n * rate; }
  export async function later(n) { return n; }
  export function fail() { throw new RangeError("no such item"); }
  export function activate() {}
  export default function main() { return "main"; }
`;

Deno.test("an artifact opens by its path, by its URL as a text and by its URL", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, SOURCE);
  for (const which of [path, toFileUrl(path).href, toFileUrl(path)]) {
    await using manager = new PluginManager();
    const generation = await manager.open(which);
    assertEquals([generation.name, generation.scn, generation.path], ["pricing", SCN, path]);
  }
});

Deno.test("an artifact opens by a path that is relative to the working folder", async () => {
  await using directory = await tempDirectory();
  const { file, path } = await writeArtifact(directory.path, SOURCE);
  // In a process of its own: all tests share the working folder of this one.
  const { code, stdout, stderr } = await runScript(
    directory.path,
    `
    import { PluginManager } from "project:manager/mod.ts";
    Deno.chdir(${JSON.stringify(directory.path)});
    await using manager = new PluginManager();
    console.log((await manager.open(${JSON.stringify(file)})).path);`,
  );
  assertEquals([code, stdout.trim()], [0, path], stderr);
});

Deno.test("an artifact opens by its info file", async () => {
  await using directory = await tempDirectory();
  const { path, infoPath, info } = await writeArtifact(directory.path, SOURCE, { gzip: true });
  for (const which of [infoPath, toFileUrl(infoPath).href, toFileUrl(infoPath)]) {
    await using manager = new PluginManager();
    const generation = await manager.openInfo(which);
    assertEquals(generation.path, path);
    assertEquals(generation.info, info);
  }
});

Deno.test("the newest artifact of a folder opens, whatever else lies there", async () => {
  await using directory = await tempDirectory();
  for (const [name, scn] of [["pricing", SCN], ["pricing", SCN + 2], ["other", SCN + 3]] as const) {
    await writeArtifact(directory.path, SOURCE, { name, scn });
  }
  await Deno.writeTextFile(directory.file("README.md"), "");
  await using manager = new PluginManager();
  assertEquals((await manager.openNewest(directory.path, "pricing")).scn, SCN + 2);
  const error = await assertCode(manager.openNewest(directory.path, "pricing"), "outdated");
  assertStrictEquals((error as { current?: unknown }).current, manager.current("pricing"));
});

Deno.test("where the newest does not load, the next one is opened", async () => {
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, SOURCE);
  await writeArtifact(directory.path, "throw new Error('no')", { scn: SCN + 1 });
  await using manager = new PluginManager();
  assertEquals((await manager.openNewest(directory.path, "pricing")).scn, SCN);
});

Deno.test("where none loads, the error is that of the newest", async () => {
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, "import 'npm:left-pad';");
  await writeArtifact(directory.path, "throw new Error('no')", { scn: SCN + 1 });
  await using manager = new PluginManager();
  await assertCode(manager.openNewest(directory.path, "pricing"), "load");
  await assertCode(manager.openNewest(directory.path, "nobody"), "not-found");
  await assertCode(manager.openNewest(directory.file("nowhere"), "pricing"), "io");
  await assertCode(manager.openNewest(directory.path, "../pricing"), "name");
});

Deno.test("openNewest waits until a bare module stood still", async () => {
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, SOURCE, { info: false });
  await using manager = new PluginManager({ bareSettle: 150 });
  const started = Date.now();
  const written = (await Deno.stat(directory.path)).mtime?.getTime() ?? 0;
  const { info } = await manager.openNewest(directory.path, "pricing");
  assertEquals(info, undefined);
  assert(Date.now() - Math.min(started, written) >= 150);
});

Deno.test("a generation says what it is", async () => {
  await using directory = await tempDirectory();
  const { path, info } = await writeArtifact(directory.path, SOURCE);
  await using manager = new PluginManager();
  const generation = await manager.open(path);
  assertEquals(generation.symbols, ["default", "fail", "later", "quote", "rate", "table"]);
  assertEquals(generation.info, info);
  assertEquals(generation.sha256, info.content.sha256);
  assertEquals([generation.state, generation.leases], ["current", 0]);
  assertStrictEquals(manager.current("pricing"), generation);
  assertEquals(manager.generations("pricing"), [generation]);
  assertEquals(manager.names(), ["pricing"]);
});

Deno.test("a plugin that nobody opened is not there", async () => {
  await using manager = new PluginManager();
  assertEquals(manager.current("pricing"), undefined);
  assertEquals(manager.current("constructor"), undefined);
  assertEquals(manager.generations("pricing"), []);
  assertEquals(manager.names(), []);
  assertThrowsCode(() => manager.acquire("pricing"), "not-found");
});

Deno.test("lookup answers with the export itself, and call with a promise", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(
    directory.path,
    "globalThis.hotplugTest = { table: {} }; export const { table } = globalThis.hotplugTest; " +
      "export const twice = (n) => n * 2; export default (n) => n;",
  );
  await using manager = new PluginManager();
  try {
    const generation = await manager.open(path);
    const { table } = (globalThis as unknown as { hotplugTest: { table: object } }).hotplugTest;
    assertStrictEquals(generation.lookup("table"), table);
    assertEquals(generation.lookup<(n: number) => number>("twice")(4), 8);
    const promise = generation.call<number>("twice", 21);
    assert(promise instanceof Promise);
    assertEquals(await promise, 42);
    assertEquals(await generation.call("default", 7), 7);
  } finally {
    delete (globalThis as { hotplugTest?: unknown }).hotplugTest;
  }
});

Deno.test("what a function throws comes to its caller as it is", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, SOURCE);
  await using manager = new PluginManager();
  const generation = await manager.open(path);
  await assertRejects(() => generation.call("fail"), RangeError, "no such item");
  assertThrows(() => generation.lookup<() => void>("fail")(), RangeError);
  assertEquals(generation.leases, 0);
});

Deno.test("hooks, inherited names and names that are not exported are no symbols", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, SOURCE);
  await using manager = new PluginManager();
  const generation = await manager.open(path);
  for (const symbol of ["activate", "toString", "__proto__", "constructor", "Quote", ""]) {
    const error = assertThrowsCode(() => generation.lookup(symbol), "symbol");
    assert(error.message.includes("quote"), "the message lists what there is");
    await assertCode(generation.call(symbol), "symbol");
  }
  await assertCode(generation.call("rate"), "symbol");
});

Deno.test("calls and leases are counted while they last", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(
    directory.path,
    "export const wait = (promise) => promise;",
  );
  await using manager = new PluginManager();
  const generation = await manager.open(path);
  const gate = Promise.withResolvers<void>();
  const call = generation.call("wait", gate.promise);
  const lease = manager.acquire("pricing");
  assertEquals(generation.leases, 2);
  gate.resolve();
  await call;
  assertEquals(generation.leases, 1);
  lease[Symbol.dispose]();
  lease[Symbol.dispose]();
  assertEquals(generation.leases, 0);
});

Deno.test("a lease has all that its generation has, and ends with its scope", async () => {
  await using directory = await tempDirectory();
  const { path, info } = await writeArtifact(directory.path, SOURCE);
  await using manager = new PluginManager();
  const generation = await manager.open(path);
  let kept: Lease;
  {
    using lease = manager.acquire("pricing");
    kept = lease;
    assertStrictEquals(lease.generation, generation);
    assertEquals([lease.name, lease.scn, lease.info], ["pricing", SCN, info]);
    assertEquals(lease.symbols, generation.symbols);
    assertStrictEquals(lease.lookup("quote"), generation.lookup("quote"));
    assertEquals(await lease.call("quote", 4), 8);
  }
  assertThrowsCode(() => kept.lookup("quote"), "closed");
  await assertCode(kept.call("quote", 4), "closed");
  {
    await using lease = manager.acquire("pricing");
    kept = lease;
    assertEquals(generation.leases, 1);
  }
  assertEquals(generation.leases, 0);
  assertThrowsCode(() => kept.lookup("quote"), "closed");
});

Deno.test("an older generation still answers who holds it", async () => {
  await using directory = await tempDirectory();
  const version = (n: number): string => `export const version = () => ${n};`;
  const first = await writeArtifact(directory.path, version(1));
  const second = await writeArtifact(directory.path, version(2), { scn: SCN + 1 });
  await using manager = new PluginManager();
  const old = await manager.open(first.path);
  using lease = manager.acquire("pricing");
  const fresh = await manager.open(second.path);
  assertEquals([old.state, fresh.state], ["superseded", "current"]);
  assertEquals(manager.generations("pricing"), [old, fresh]);
  assertEquals(await lease.call("version"), 1);
  assertEquals(await manager.acquire("pricing").call("version"), 2);
});

Deno.test("equal bytes under two names or SCNs share no state", async () => {
  await using directory = await tempDirectory();
  const source = "let n = 0; export const count = () => ++n;";
  const files = [{ name: "a" }, { name: "b" }, { name: "a", scn: SCN + 1 }];
  await using manager = new PluginManager();
  for (const init of files) {
    const generation = await manager.open((await writeArtifact(directory.path, source, init)).path);
    assertEquals(await generation.call("count"), 1);
  }
});

Deno.test("only paths and file URLs are read", async () => {
  await using manager = new PluginManager();
  const file = "pricing_20240101000000_2_0_0_any_any.mjs";
  await assertCode(manager.open(new URL(`https://example.com/${file}`)), "options");
  await assertCode(manager.open(`https://example.com/${file}`), "options");
  await assertCode(manager.open(`file://host:1/${file}`), "options");
  await assertCode(manager.open(file), "io");
  await assertCode(manager.open("pricing.mjs"), "name");
  await assertCode(manager.open(""), "name");
  await assertCode(manager.openInfo(file), "name");
  await assertCode(manager.openInfo(file.replace(".mjs", ".pinf")), "io");
});

Deno.test("an option out of its range is refused at once", () => {
  for (
    const options of [
      { initialScn: 5 },
      { initialScn: NaN },
      { loadDeadline: 0 },
      { activateDeadline: Infinity },
      { maxSize: -1 },
      { bareSettle: NaN },
      { futureTolerance: -1 },
      { runtimeRule: "loose" as "exact" },
      { plugins: { "pricing.": { tier: "process" as const } } },
    ]
  ) {
    assertThrowsCode(() => new PluginManager(options), "options");
  }
});
