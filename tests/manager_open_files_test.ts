import { assertEquals } from "@std/assert";
import { tempDirectory } from "./_temp.ts";

/** Asks an error of a module in TypeScript for its stack when no file can be opened any more. */
const SCRIPT = `
  import { PluginManager } from "${new URL("../mod.ts", import.meta.url)}";
  import { fault } from "./library.ts";
  await using manager = new PluginManager();
  const files = [];
  try { while (true) files.push(Deno.openSync(Deno.args[0])); } catch { /* used up */ }
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
    const script = directory.file("script.ts");
    await Deno.writeTextFile(script, SCRIPT);
    await Deno.writeTextFile(directory.file("library.ts"), LIBRARY);
    const config = new URL("../deno.json", import.meta.url).pathname;
    const deno = [Deno.execPath(), "run", "-A", "--no-check", "--config", config, script, script];
    // At the first run it is parsed as it is loaded; from then on it comes from the cache.
    for (let run = 0; run < 2; run++) {
      const { stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", 'ulimit -n 100; exec "$@"', "sh", ...deno],
      }).output();
      const text = new TextDecoder();
      assertEquals(text.decode(stdout), "true\n", text.decode(stderr));
    }
  },
});
