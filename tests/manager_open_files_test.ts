import { assertEquals } from "@std/assert";
import { runWithFewFiles } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

/** Asks an error of a module in TypeScript for its stack when no file can be opened any more. */
const SCRIPT = `
  import { PluginManager } from "project:mod.ts";
  import { fault } from "./library.ts";
  await using manager = new PluginManager();
  const files = [];
  try { while (true) files.push(Deno.openSync(new URL(import.meta.url))); } catch { /* used up */ }
  const { stack } = fault(1);
  for (const file of files) file.close();
  console.log(stack.includes("library.ts"));`;

/** Deno parses it anew for its source map, where it can't read its cache. */
const LIBRARY = `
  export function fault(code: number): Error {
    if (code) return new Error("at " + code);
    return new Error("none");
  }`;

Deno.test({
  name: "manager: where open files are used up, whoever looks at an error's stack goes on",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    await Deno.writeTextFile(directory.file("library.ts"), LIBRARY);
    // At the first run it is parsed as it is loaded; from then on it comes from the cache.
    for (let run = 0; run < 2; run++) {
      const { stdout, stderr } = await runWithFewFiles(directory.path, SCRIPT);
      assertEquals(stdout, "true\n", stderr);
    }
  },
});
