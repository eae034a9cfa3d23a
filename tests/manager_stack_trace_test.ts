import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type FailedEvent, PluginManager } from "../manager/mod.ts";
import { SCN, writeArtifact, type WrittenArtifact } from "./_artifacts.ts";
import { assertCode } from "./_errors.ts";
import { collectEvents } from "./_events.ts";
import { jsonLines, runScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

/** Bundles a TypeScript plugin as a build does, and writes it with its source map. */
async function bundled(
  directory: string,
  source: string,
  init: { scn?: number; gzip?: boolean } = {},
): Promise<WrittenArtifact> {
  await using work = await tempDirectory();
  await Deno.writeTextFile(work.file("price.ts"), source);
  await Deno.writeTextFile(work.file("mod.ts"), `export * from "./price.ts";\n`);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--no-lock",
      "--no-config",
      "--sourcemap=linked",
      "-o",
      "plugin.mjs",
      "mod.ts",
    ],
    cwd: work.path,
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const sourceMap = await Deno.readTextFile(work.file("plugin.mjs.map"));
  return await writeArtifact(directory, await Deno.readTextFile(work.file("plugin.mjs")), {
    ...init,
    sourceMap,
  });
}

/** A plugin whose `fail` throws in the given line of its TypeScript file. */
const throwing = (line: number): string =>
  "interface Item { readonly price: number }\n" + "\n".repeat(line - 2) +
  "export function fail(item: Item): number { throw new RangeError(`no price ${item.price}`); }\n" +
  "export function late(item: Item): void { setTimeout(() => fail(item)); }\n";

async function traceOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.catch((error) => error);
  assert(error instanceof RangeError);
  return error.stack ?? "";
}

Deno.test("an error's trace has the TypeScript file and line, in every generation", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  const one = await manager.open((await bundled(directory.path, throwing(7))).path);
  const two = await manager.open(
    (await bundled(directory.path, throwing(12), { scn: SCN + 1, gzip: true })).path,
  );
  for (const [generation, line] of [[one, 7], [two, 12], [one, 7]] as const) {
    const trace = await traceOf(generation.call("fail", { price: 3 }));
    assertStringIncludes(trace, `pricing@${generation.scn}-`);
    assertStringIncludes(trace, `/price.ts:${line}:`);
  }
});

Deno.test("the event of a top level that throws has the TypeScript file and line", async () => {
  await using directory = await tempDirectory();
  const source = "type No = string;\n\n\nconst no: No = 'no';\nthrow new Error(no);\n";
  const { path } = await bundled(directory.path, source);
  await using manager = new PluginManager();
  using events = collectEvents(manager);
  const error = await assertCode(manager.open(path), "load");
  assertStringIncludes(events.of("failed")[0]?.stack ?? "", "/price.ts:5:");
  assertStringIncludes((error.cause as Error).stack ?? "", "/price.ts:5:");
});

Deno.test("the event of an activation that throws has the TypeScript file and line", async () => {
  await using directory = await tempDirectory();
  const source = "export function activate(): void {\n  const n: number = 1;\n  null!.x;\n}\n";
  const { path } = await bundled(directory.path, source.replace("null!", "(null as any)"));
  await using manager = new PluginManager();
  using events = collectEvents(manager);
  await assertCode(manager.open(path), "activation");
  assertStringIncludes(events.of("failed")[0]?.stack ?? "", "/price.ts:3:");
});

Deno.test("a late error is traced to its generation, with TypeScript file and line", async () => {
  await using directory = await tempDirectory();
  const one = await bundled(directory.path, throwing(7));
  const two = await bundled(directory.path, throwing(12), { scn: SCN + 1 });
  const { code, stdout, stderr } = await runScript(
    directory.path,
    `
    import { PluginManager } from "project:manager/mod.ts";
    const manager = new PluginManager({ guards: true });
    const first = await manager.open(${JSON.stringify(one.path)});
    const second = await manager.open(${JSON.stringify(two.path)});
    const events = manager.events();
    for (const generation of [second, first]) {
      await generation.call("late", { price: 3 });
      console.log(JSON.stringify((await events.next()).value));
    }
    await manager.close();
    `,
  );
  assertEquals(code, 0, stderr);
  const events = jsonLines<FailedEvent>(stdout);
  assertEquals(events.map((each) => [each.code, each.scn]), [
    ["uncaught", SCN + 1],
    ["uncaught", SCN],
  ]);
  for (const [at, line] of [12, 7].entries()) {
    assertStringIncludes(events[at]?.stack ?? "", `/price.ts:${line}:`);
  }
});

Deno.test("a source map that is missing or wrong does not keep a plugin from loading", async () => {
  await using directory = await tempDirectory();
  const { path } = await bundled(directory.path, throwing(7));
  const map = path.replace(/\.mjs$/, ".mjs.map");
  for (const spoil of [() => Deno.writeTextFile(map, "{}"), () => Deno.remove(map)]) {
    await spoil();
    await using manager = new PluginManager();
    const generation = await manager.open(path);
    const trace = await traceOf(generation.call("fail", { price: 3 }));
    assertStringIncludes(trace, `${generation.sha256}.mjs`);
  }
});
