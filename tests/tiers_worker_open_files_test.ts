import { assertEquals } from "@std/assert";
import { publish } from "./_daemon.ts";
import { runWithFewFiles } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

/** Opens a plugin in a worker, twice: where hardly a file can be opened, and where they can again. */
const script = (path: string): string => `
  import { PluginManager } from "project:mod.ts";
  const path = ${JSON.stringify(path)};
  await using manager = new PluginManager({ tier: "worker", initialScn: 0 });
  const open = () => manager.open(path).then(() => "opened", (error) => error.code);
  const files = [];
  try { while (true) files.push(Deno.openSync(path)); } catch { /* used up */ }
  for (const file of files.splice(0, 4)) file.close();
  const told = [await open()];
  for (const file of files) file.close();
  told.push(await open());
  console.log(told.join());`;

Deno.test({
  name: "tier worker: where open files are used up, a worker is refused, and the process goes on",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    const { path } = await publish(directory.path, "export const a = 1;", { name: "scarce" });
    const { stdout, stderr } = await runWithFewFiles(directory.path, script(path));
    assertEquals(stdout, "io,opened\n", stderr);
  },
});
