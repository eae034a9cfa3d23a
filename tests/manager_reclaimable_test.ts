import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PluginManager } from "../manager/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { assertCode } from "./_errors.ts";
import { collectEvents } from "./_events.ts";
import { runScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

async function opened(source: string, init: Parameters<typeof writeArtifact>[2] = {}) {
  const directory = await tempDirectory();
  const manager = new PluginManager({ loader: "reclaimable", loadDeadline: 100, guards: true });
  const open = async () =>
    await manager.open((await writeArtifact(directory.path, source, init)).path);
  return {
    manager,
    open,
    async [Symbol.asyncDispose]() {
      await manager.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a reclaimable module is what an imported one is: exports, builtins, import.meta, top-level await", async () => {
  await using fixture = await opened(`
    import { join } from "node:path";
    import * as crypto from "node:crypto";
    export { sep } from "node:path";
    const later = await Promise.resolve(3);
    export let count = 0;
    export const add = () => ++count;
    export const joined = join("a", "b");
    export const digest = crypto.createHash("sha256").update("x").digest("hex");
    export const meta = { ...import.meta };
    export const main = import.meta.main;
    export const os = async () => (await import("node:os")).EOL;
    export { later };
    export default class {}`);
  const generation = await fixture.open();
  assertEquals(generation.symbols, [
    "add",
    "count",
    "default",
    "digest",
    "joined",
    "later",
    "main",
    "meta",
    "os",
    "sep",
  ]);
  assertEquals([generation.lookup("later"), generation.lookup("main")], [3, false]);
  assertEquals(await generation.call("add"), 1);
  assertEquals(generation.lookup("count"), 1);
  assertEquals(await generation.call("os"), Deno.build.os === "windows" ? "\r\n" : "\n");
  const meta = generation.lookup<{ url: string; filename: string; dirname: string }>("meta");
  assertStringIncludes(meta.url, meta.filename.replaceAll("\\", "/"));
  assert(meta.filename.startsWith(meta.dirname));
});

const failures: Record<string, [source: string, code: "syntax" | "load" | "deadline" | "imports"]> =
  {
    "a syntax error": ["export const = 1;", "syntax"],
    "a name that is not exported": [
      "import { nothing } from 'node:path'; export { nothing };",
      "syntax",
    ],
    "a builtin that does not exist": ["import 'node:nothing';", "syntax"],
    "a throw at its top level": ["throw new TypeError('no');", "load"],
    "a rejection at its top level": ["await Promise.reject(new TypeError('no'));", "load"],
    "a top level that never ends": ["await new Promise(() => {});", "deadline"],
    "something left to import": ["import 'npm:left-pad';", "imports"],
  };

for (const [what, [source, code]] of Object.entries(failures)) {
  Deno.test(`a reclaimable module with ${what} is refused as an imported one is`, async () => {
    await using fixture = await opened(source);
    using events = collectEvents(fixture.manager);
    await assertCode(fixture.open(), code);
    assertEquals(events.of("failed").map((each) => each.code), [code]);
    assertEquals(fixture.manager.generations("pricing"), []);
  });
}

Deno.test("the traces of a reclaimable module show the plugin's own files and lines", async () => {
  const sourceMap = JSON.stringify({
    version: 3,
    sources: ["src/price.ts"],
    names: [],
    // Line 1 of the module is line 5 of the source.
    mappings: "AAIA;AACA;AACA",
  });
  const source = [
    "export const fails = () => { throw new Error('no'); };",
    "export const later = async () => { await null; throw new Error('no', { cause: new Error('c') }); };",
    "export const timer = () => { setTimeout(() => { throw new Error('late'); }); };",
  ].join("\n");
  await using fixture = await opened(source, { sourceMap });
  using events = collectEvents(fixture.manager);
  const generation = await fixture.open();
  for (const [symbol, line] of [["fails", 5], ["later", 6]] as const) {
    const error: Error = await generation.call(symbol).catch((thrown) => thrown) as Error;
    assertStringIncludes(error.stack ?? "", `src/price.ts:${line}:`);
    assert(!error.stack?.includes(".mjs?scn"), error.stack);
    if (symbol === "later") {
      assertStringIncludes((error.cause as Error).stack ?? "", "src/price.ts:6:");
    }
  }
  await generation.call("timer");
  const failed = await events.next(({ type }) => type === "failed");
  assert(failed.type === "failed");
  assertEquals([failed.code, failed.scn], ["uncaught", SCN]);
  assertStringIncludes(failed.stack ?? "", "src/price.ts:7:");
});

Deno.test("a retired generation of the reclaimable loader gives its memory back", async () => {
  await using directory = await tempDirectory();
  const filler = "x".repeat(200_000);
  const generations = 120;
  const paths: string[] = [];
  for (let n = 0; n < generations; n++) {
    const source = `export const filler = ${
      JSON.stringify(filler + n)
    }.split(""); export const n = ${n};`;
    const written = await writeArtifact(directory.path, source, {
      scn: SCN + Math.floor(n / 60) * 100 + n % 60,
    });
    paths.push(written.path);
  }
  const script = (loader: string) => `
    import v8 from "node:v8";
    import { PluginManager } from "project:manager/mod.ts";
    await using manager = new PluginManager({ loader: "${loader}", retention: { count: 2 } });
    const used = () => { globalThis.gc(); return v8.getHeapStatistics().used_heap_size; };
    let early = 0;
    for (const [n, path] of ${JSON.stringify(paths)}.entries()) {
      await manager.open(path);
      if (n === 20) early = used();
    }
    console.log(JSON.stringify({ grown: used() - early }));`;
  const grown = async (loader: string): Promise<number> => {
    const flags = ["-A", "--v8-flags=--no-compilation-cache,--expose-gc"];
    const { code, stdout, stderr } = await runScript(directory.path, script(loader), flags);
    assertEquals(code, 0, stderr);
    return JSON.parse(stdout).grown;
  };
  const [reclaimed, imported] = [await grown("reclaimable"), await grown("import")];
  // 100 generations of 200 kB of text and as many array items of 4 bytes and more each.
  assert(imported > 50e6, `imported ${imported}`);
  assert(reclaimed < imported / 10, `reclaimed ${reclaimed}, imported ${imported}`);
});
