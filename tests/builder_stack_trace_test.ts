import { assertEquals, assertMatch } from "@std/assert";
import { dirname, join, toFileUrl } from "@std/path";
import { alignSourceMap } from "../builder/bundle/align_source_map.ts";
import { build } from "../builder/mod.ts";
import { builderFixture } from "./_builder_fixture.ts";

const THROWS = `
function fail(): never {
  throw new Error("boom " + shared.sep);
}

export function boom(): void {
  if (shared.sep === "nothing") return;
  fail();
}
`;

const CASES: readonly (readonly [title: string, files: Record<string, string>])[] = [
  ["TypeScript only", {
    "mod.ts": `import { shared } from "./shared.ts";${THROWS}`,
    "shared.ts": `export const shared = { sep: "/" };`,
  }],
  ["CommonJS inside", {
    "mod.ts": `import shared from "./shared.cjs";${THROWS}`,
    "shared.cjs": `module.exports = { sep: "/" };`,
  }],
  ["CommonJS inside that requires a builtin", {
    "mod.ts": `import shared from "./shared.cjs";${THROWS}`,
    "shared.cjs": `const path = require("node:path");\nmodule.exports = { sep: path.sep };`,
  }],
  ["CommonJS inside and lines in a text", {
    "mod.ts": `import shared from "./shared.cjs";${THROWS}export const text = \`\n\n\`;`,
    "shared.cjs": `const path = require("path");\nmodule.exports = { sep: path.sep + \`\n\` };`,
  }],
];

for (const [title, files] of CASES) {
  Deno.test(`a plugin's stack trace shows its own file and line: ${title}`, async () => {
    await using fixture = await builderFixture(files);
    const { artifacts } = await build({ source: fixture.source, dest: fixture.dest, check: false });
    const { path = "", sourceMapPath = "" } = artifacts[0] ?? {};
    // Where the link at its end leads to, as a host places the two.
    await Deno.rename(sourceMapPath, join(dirname(path), "plugin.mjs.map"));
    const plugin = await import(toFileUrl(path).href);
    let stack = "";
    try {
      plugin.boom();
    } catch (error) {
      stack = String((error as Error).stack);
    }
    const [first = "", second = ""] = stack.split("\n").filter((line) => /^ +at /.test(line));
    assertMatch(first, /mod\.ts:3:9\)$/, stack);
    assertMatch(second, /mod\.ts:8:3\)$/, stack);
  });
}

Deno.test("alignSourceMap() moves the line of the helpers, and leaves a map alone that is right", () => {
  const code = `import{createRequire as __deno_internal_createRequire} from "node:module";` +
    `var h=__deno_internal_createRequire(import.meta.url);var a=1,b="two";export{a};`;
  const at = code.indexOf("var a");
  // Three segments, `var`, `a` and `b`, 200 columns too far to the right.
  const wrong = {
    version: 3,
    sources: ["x.ts"],
    names: [],
    mappings: `${vlq(at + 200)}AAA,IACA,IACA`,
  };
  const right = { ...wrong, mappings: `${vlq(at)}AAA,IACA,IACA` };
  assertEquals(JSON.parse(alignSourceMap(code, JSON.stringify(right))), right);
  const text = JSON.stringify(wrong);
  assertEquals(JSON.parse(alignSourceMap(code, text)), right);
  assertEquals(alignSourceMap("export {};", text), text);
});

function vlq(value: number): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  let [bits, text] = [value * 2, ""];
  do {
    text += digits.charAt((bits & 31) + (bits > 31 ? 32 : 0));
    bits >>= 5;
  } while (bits > 0);
  return text;
}
