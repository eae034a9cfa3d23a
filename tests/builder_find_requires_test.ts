import { assertEquals, assertStringIncludes } from "@std/assert";
import { findRequires } from "../builder/bundle/find_requires.ts";
import { findLeftovers } from "../builder/bundle/leftovers.ts";
import { mendRequireShim } from "../builder/bundle/require_shim.ts";
import { relativeSourceMap } from "../builder/bundle/source_map.ts";
import { failureOf } from "./_builder_fixture.ts";

const IMPORT = `import { createRequire as make } from "node:module";\n`;

const RAW_SHIM = `var a=(t,e)=>Object.defineProperty(t,"name",{value:e}),` +
  `g=(t=>typeof require<"u"?require:typeof Proxy<"u"?new Proxy(t,{get:(e,r)=>(typeof require<"u"?require:e)[r]}):t)` +
  `(function(t){if(typeof require<"u")return require.apply(this,arguments);` +
  `throw Error('Dynamic require of "'+t+'" is not supported')});`;

Deno.test("findRequires() finds what a createRequire is asked for, and nothing that only looks so", () => {
  const cases: [source: string, found: string[]][] = [
    [`${IMPORT}var r = make(import.meta.url); r("a"); r("b"); r("a");`, ["a", "b"]],
    [`${IMPORT}var r = make(import.meta.url); function f() { return r(\`a\`); }`, ["a"]],
    [`${IMPORT}make(import.meta.url)("a");`, ["a"]],
    [`${IMPORT}var r = make(import.meta.url), s = r; s("a");`, ["a"]],
    [`${IMPORT}let r; r = make(import.meta.url); r("a");`, ["a"]],
    [`import * as m from "module"; const r = m.createRequire("x"); r("a");`, ["a"]],
    [`import m from "node:module"; const r = m["createRequire"]("x"); r("a");`, ["a"]],
    [`${IMPORT}var r = make(import.meta.url); function f(r) { r("a"); } r(name);`, []],
    [`${IMPORT}var r = make(import.meta.url); "r('a')"; x.r("b");`, []],
    [`import { createRequire } from "./ours.js"; createRequire("x")("a");`, []],
    [`const text = "createRequire"; text("a");`, []],
  ];
  for (const [source, found] of cases) assertEquals(findRequires(source), found, source);
});

Deno.test("mendRequireShim() makes the stand-in that Deno missed work, and its requires are found", async () => {
  const bundle = {
    code: `${RAW_SHIM}export const sep=g("node:path").sep;g("left-over-x");`.replace(
      `g("left-over-x");`,
      "",
    ),
    map: JSON.stringify({ version: 3, sources: [], names: [], mappings: "AAAA" }),
  };
  const { code, map } = mendRequireShim(bundle);
  assertEquals(JSON.parse(map).mappings, ";AAAA");
  assertEquals(findRequires(code), ["node:path"]);
  const plugin = await import(`data:text/javascript,${
    encodeURIComponent(
      // A data URL is no place to require from; where from does not matter for a builtin.
      code.replace("import.meta.url", '"file:///x.js"'),
    )
  }`);
  assertEquals(typeof plugin.sep, "string");
  const untouched = { code: "export {};", map: "{}" };
  assertEquals(mendRequireShim(untouched), untouched);
});

Deno.test("findLeftovers() tells builtins, optional names and the rest apart", async () => {
  const code = `${IMPORT}const r = make(import.meta.url); r("crypto"); r("node:fs"); r("maybe");`;
  assertEquals(findLeftovers(code, { imports: ["node:module"] }, ["maybe", "unused"]), {
    imports: ["node:crypto", "node:fs", "node:module"],
    optional: ["maybe"],
  });
  const imports = ["fs", "npm:x", "https://example.com/x.js", "node:nothing"];
  const error = await failureOf((async () => await findLeftovers("", { imports }, []))());
  assertEquals(error.code, "imports");
  for (const name of imports) assertStringIncludes(error.message, `"${name}"`);
});

Deno.test("relativeSourceMap() refuses a source from outside, whose path it does not tell", async () => {
  const map = JSON.stringify({ version: 3, sources: ["../../home/me/secret.ts"], mappings: "" });
  const error = await failureOf((async () => await relativeSourceMap(map, "../src/"))());
  assertEquals(error.code, "imports");
  assertStringIncludes(error.message, `"secret.ts"`);
});
