import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { assertNoThenSymbol, HOOKS, HotplugError, isHook, scanModule } from "../artifact/mod.ts";

Deno.test("exports are parted into symbols and hooks", async () => {
  const scan = await scanModule(`
    export const quote = 1, { a, b: renamed, ...rest } = {}, [first, [second]] = [[], []];
    export function activate() {}
    export async function* stream() {}
    export class Price {}
    export default class {}
    const local = 1;
    export { local as health, local as "a name in quotes" };
    export * as path from "node:path";
    export { join } from "node:path";
  `);
  assertEquals(scan.hooks, ["activate", "health"]);
  assertEquals(scan.symbols, [
    "Price",
    "a",
    "a name in quotes",
    "default",
    "first",
    "join",
    "path",
    "quote",
    "renamed",
    "rest",
    "second",
    "stream",
  ]);
  assertEquals(scan.exports, [...scan.symbols, ...scan.hooks].sort());
  assertEquals(scan.exportStars, []);
});

Deno.test("the exports are those that the module really has", async () => {
  const source = `
    export let a = /}/, b = "x", c = \`,\`, d = () => { let q = 1, w = 2; }, e = (a, b), f = [a, b];
    export var g = a < b, h = c > d, i = a ? b : c;
    let \\u006a = 1; export { \\u006a as \\u{6b}, \\u006a as "l\\u006c\\\\u0061" };
    export function async() {} export const of = 1, get = 2, type = 3;
    export default 1;
    // export const comment = 1;
    "export const text = 1";
  `;
  const module: object = await import(`data:text/javascript,${encodeURIComponent(source)}`);
  assertEquals((await scanModule(source)).exports, Object.keys(module).sort());
});

Deno.test("imports are the static ones and the literal dynamic ones", async () => {
  const scan = await scanModule(`
    import "node:fs";
    import x, { y as z } from 'node:path';
    import type from "default-named-type";
    import json from "./x.json" with { type: "json" };
    import "\\x6eode:os";
    export { a } from "re-exported";
    export * from "starred";
    await import("literal"); import(\`template\`); import("with", { with: { type: "json" } });
    import(/* before */ "commented" /* after */);
    import("node:fs");
    class Field { static { import("in-a-block"); } }
    \`\${import("in-a-template")}\`;
    import.meta.url; import.meta.resolve("resolved");
    object.import("method"); "import('text')"; /import("expression")/; // import("comment")
  `);
  assertEquals(scan.imports, [
    "./x.json",
    "commented",
    "default-named-type",
    "in-a-block",
    "in-a-template",
    "literal",
    "node:fs",
    "node:os",
    "node:path",
    "re-exported",
    "starred",
    "template",
    "with",
  ]);
  assertEquals(scan.exportStars, ["starred"]);
  assertEquals(scan.computedImports, false);
});

Deno.test("an import whose specifier is computed is no import, but is told", async () => {
  for (const argument of ["name", `"a" + "b"`, "`./${name}.js`", "`a${x}b`", "(f())"]) {
    const scan = await scanModule(`const name = "x"; import(${argument});`);
    assertEquals([argument, scan.imports, scan.computedImports], [argument, [], true]);
  }
});

Deno.test("an empty module gives and takes nothing", async () => {
  assertEquals(await scanModule(""), {
    exports: [],
    symbols: [],
    hooks: [],
    imports: [],
    exportStars: [],
    computedImports: false,
  });
});

Deno.test("a source that ends too early is refused with line and column", async () => {
  for (const source of ["export const a = {", "a(", "`${", "'open", "}", "import { a"]) {
    const error = await assertRejects(() => scanModule(`let ok;\n${source}`), HotplugError);
    assertEquals([source, error.code], [source, "load"]);
    assertEquals(/at line [12], column [0-9]+$/.test(error.message), true, error.message);
    assertEquals(error.cause instanceof Error, true);
  }
});

Deno.test("a source of ten megabytes is read", async () => {
  const line = `function f() { return /x/.test("}") ? \`\${1}\` : "import('no')"; }\n`;
  const source = line.repeat(160_000) + `export { f }; import "node:fs";`;
  const scan = await scanModule(source);
  assertEquals([scan.exports, scan.imports], [["f"], ["node:fs"]]);
});

Deno.test("a symbol named then is found however it is written, and refused", async () => {
  const sources = [
    "export function then() {}",
    "export const { then } = {}",
    "export const { a: [then] } = { a: [] }",
    "const b = 1; export { b as then }",
    `const b = 1; export { b as "then" }`,
    `const b = 1; export { b as "th\\x65n" }`,
    "const b = 1; export { b as \\u0074hen }",
    "const b = 1; export { b as the\\u{6e} }",
    `export * as then from "node:fs"`,
    `export { default as then } from "node:fs"`,
  ];
  for (const source of sources) {
    const { symbols } = await scanModule(source);
    const error = assertThrows(() => assertNoThenSymbol(symbols), HotplugError, "rename");
    assertEquals([source, error.code], [source, "load"]);
  }
  assertNoThenSymbol(["Then", "then2", "thenable", "default"]);
});

Deno.test("hooks are known by name only", () => {
  assertEquals(HOOKS.map(isHook), HOOKS.map(() => true));
  for (const name of ["", "Activate", "constructor", "then", "default"]) {
    assertEquals(isHook(name), false);
  }
});
