import { assertEquals } from "@std/assert";
import { HotplugError } from "../artifact/mod.ts";
import { tierFixture, TIERS } from "./_tiers.ts";

/** What can't be compiled or linked, whoever it is that finds that out. */
const NO_MODULE: readonly string[] = [
  "{",
  "return 1;",
  "export const = 1;",
  "let a; let a;",
  "with (Math) cos(1);",
  "export { nothing };",
  'import { nothing } from "node:fs";',
  'import "node:nothing-of-this-name";',
];

/** What is a module, and throws a SyntaxError as it runs. */
const THROWING: readonly string[] = [
  'JSON.parse("{");',
  'new RegExp("(");',
  'const fails = () => new Function("return return"); fails();',
  'throw new SyntaxError("own");',
];

const SETTINGS = [...TIERS.map((tier) => ({ tier })), { preflight: true }];

for (const options of SETTINGS) {
  Deno.test(`what is no module is told as that, and is not tried again: ${JSON.stringify(options)}`, async () => {
    await using fixture = await tierFixture(options);
    const codeOf = (source: string): Promise<string> =>
      fixture.open(source).then(() => "open", (error) => {
        if (error instanceof HotplugError) return error.code;
        throw error;
      });
    assertEquals(await Promise.all(NO_MODULE.map(codeOf)), NO_MODULE.map(() => "syntax"));
    assertEquals(await Promise.all(THROWING.map(codeOf)), THROWING.map(() => "load"));
  });
}
