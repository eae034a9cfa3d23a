import { assert, assertEquals } from "@std/assert";
import { runScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

Deno.test("manager: nothing is left behind of names that nothing was ever loaded of", async () => {
  await using directory = await tempDirectory();
  const script = `
    import { PluginManager } from "project:manager/mod.ts";
    await using manager = new PluginManager();
    let count = 0;
    const tried = async (names) => {
      for (let name = 0; name < names; name++) {
        const path = ${JSON.stringify(directory.path)} + "/preview-" + count++ +
          "_20240101000000_2_0_0_any_any.mjs";
        // The second one waits for the first.
        const tries = [manager.open(path), manager.open(path.replace("000_2", "001_2"))];
        for (const { status } of await Promise.allSettled(tries)) {
          if (status !== "rejected") throw new Error(path);
        }
      }
      for (let turn = 0; turn < 3; turn++) {
        gc();
        // What is collected is told of in a turn of its own.
        await new Promise((resolve) => setTimeout(resolve));
      }
      return Deno.memoryUsage().heapUsed;
    };
    const before = await tried(500);
    console.log(await tried(1_500) - before);`;
  const flags = ["-A", "--v8-flags=--expose-gc"];
  const { code, stdout, stderr } = await runScript(directory.path, script, flags);
  assertEquals(code, 0, stderr);
  assert(Number(stdout) < 2e5, `${stdout.trim()} bytes after one and a half thousand`);
});
