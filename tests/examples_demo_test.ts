import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { temporaryIn } from "./_cli.ts";
import { tempDirectory } from "./_temp.ts";

/** What it shows, in this order; it checks each itself. */
const SHOWN = [
  /Build the plugin `pricing` from a zip .*npm:decimal\.js\n +built pricing_\d{14}_2_\d+_\d+_any_any\.mjs/,
  /generation \d{14} answers \{"total":"227\.89"/,
  /live \d+ ms after it was published/,
  /generation \d{14} answers \{"total":"215\.89"/,
  /through the lease\n +generation \d{14} answers \{"total":"227\.89"/,
  /Not opened "pricing_\d{14}_.*": .*\n +✓ it is refused as outdated/,
  /Cannot open "pricing_\d{14}_.*": the SHA-256 of .*\n +✓ it is refused by its name/,
  /in memory\n +pricing \d{14} superseded leases 1\n +pricing \d{14} current +leases 0/,
  /Done in \d+\.\d s: all of it held\.\n$/,
];

Deno.test("the demo shows the main job from end to end, and leaves nothing behind", async () => {
  await using directory = await tempDirectory();
  const script = fromFileUrl(new URL("../examples/demo.ts", import.meta.url));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script],
    env: { ...temporaryIn(directory.path), NO_COLOR: "1" },
    stdin: "null",
  }).output();
  let rest = new TextDecoder().decode(stdout);
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""], rest);
  assertStringIncludes(rest, "1. ");
  for (const shown of SHOWN) {
    assertMatch(rest, shown);
    rest = rest.slice(shown.exec(rest)?.index);
  }
  assertEquals(await Array.fromAsync(Deno.readDir(directory.path)), []);
});
