import { assert, assertEquals } from "@std/assert";
import { PluginManager } from "../manager/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { assertCode } from "./_errors.ts";
import { collectEvents } from "./_events.ts";
import { tempDirectory } from "./_temp.ts";

const KEEP = "export let context; export const activate = (given) => { context = given; };";

interface Context {
  readonly name: string;
  readonly scn: number;
  readonly signal: AbortSignal;
  readonly config: unknown;
}

Deno.test("activate gets name, SCN, signal and the plugin's own config", async () => {
  await using directory = await tempDirectory();
  const config = { pricing: { currency: "EUR" }, constructor: 7 };
  await using manager = new PluginManager({ config });
  const wanted: [string, unknown][] = [
    ["pricing", config.pricing],
    ["constructor", 7],
    ["toString", undefined],
    ["hasOwnProperty", undefined],
  ];
  for (const [name, given] of wanted) {
    const { path } = await writeArtifact(directory.path, KEEP, { name });
    const context = (await manager.open(path)).lookup<Context>("context");
    assertEquals([context.name, context.scn, context.config], [name, SCN, given]);
    assertEquals(context.signal.aborted, false);
  }
});

Deno.test("a plugin named constructor has no config unless the host gives it one", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, KEEP, { name: "constructor" });
  await using manager = new PluginManager();
  const generation = await manager.open(path);
  assertEquals(generation.lookup<Context>("context").config, undefined);
});

Deno.test("activate has ended before the generation takes calls", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(
    directory.path,
    `export let ready = false;
     export const activate = async () => { await new Promise((go) => setTimeout(go, 5)); ready = true; };`,
  );
  await using manager = new PluginManager();
  const opening = manager.open(path);
  assertEquals(manager.current("pricing"), undefined);
  assertEquals((await opening).lookup("ready"), true);
});

const failures: Record<string, string> = {
  "throws": "export const activate = () => { throw new Error('no'); };",
  "throws nothing": "export const activate = () => { throw undefined; };",
  "rejects": "export const activate = async () => { throw new Error('no'); };",
  "hangs": "export const activate = () => new Promise(() => {});",
  "answers with what never resolves": "export const activate = () => ({ then() {} });",
  "answers with a trap": "export const activate = () => ({ get then() { throw 1; } });",
  "is no function": "export const activate = 1;",
  "is null": "export const activate = null;",
  "is a class": "export class activate {}",
};

for (const [what, source] of Object.entries(failures)) {
  Deno.test(`an activate that ${what} keeps its generation out, and the current one serves`, async () => {
    await using directory = await tempDirectory();
    const good = await writeArtifact(directory.path, "export const version = () => 1;");
    const bad = await writeArtifact(directory.path, source, { scn: SCN + 1 });
    await using manager = new PluginManager({ activateDeadline: 50 });
    using events = collectEvents(manager);
    const current = await manager.open(good.path);
    await assertCode(manager.open(bad.path), "activation");
    assertEquals(manager.generations("pricing"), [current]);
    assertEquals(current.state, "current");
    assertEquals(await manager.acquire("pricing").call("version"), 1);
    assertEquals(events.of("failed").map((each) => [each.code, each.final]), [[
      "activation",
      false,
    ]]);
  });
}

Deno.test("the signal of an activation that fails is aborted", async () => {
  await using directory = await tempDirectory();
  const signals: AbortSignal[] = [];
  const config = { pricing: (signal: AbortSignal) => signals.push(signal) };
  await using manager = new PluginManager({ config, activateDeadline: 50 });
  const ends = ["throw new Error('no')", "return new Promise(() => {})"];
  for (const [at, end] of ends.entries()) {
    const { path } = await writeArtifact(
      directory.path,
      `export const activate = ({ config, signal }) => { config(signal); ${end}; };`,
      { scn: SCN + at },
    );
    await assertCode(manager.open(path), "activation");
    assertEquals(signals[at]?.aborted, true);
    assertEquals(signals[at]?.reason.code, "activation");
  }
});

Deno.test("the signal of a generation goes on until nobody holds it any more, or the manager closes", async () => {
  await using directory = await tempDirectory();
  const manager = new PluginManager();
  const signals = [];
  let lease;
  for (const scn of [SCN, SCN + 1]) {
    const { path } = await writeArtifact(directory.path, KEEP, { scn });
    signals.push((await manager.open(path)).lookup<Context>("context").signal);
    lease ??= manager.acquire("pricing");
  }
  assertEquals(signals.map((each) => each.aborted), [false, false]);
  lease?.[Symbol.dispose]();
  assertEquals(signals.map((each) => each.aborted), [true, false]);
  await manager.close();
  assert(signals.every((each) => each.aborted));
});
