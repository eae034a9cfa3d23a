import { assertEquals } from "@std/assert";
import { publish } from "./_daemon.ts";
import { runWithFewFiles } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

/** Scans when no file can be opened, and when they can again; tells what was told of a failing artifact. */
const script = (folder: string, file: string): string => `
  import { PluginDaemon } from "project:mod.ts";
  await using daemon = new PluginDaemon({ watch: [${
  JSON.stringify(folder)
}], state: false, retryMin: 60_000 });
  const told = [];
  daemon.subscribe(({ type, code, outcome }) => {
    if (type === "failed" || type === "retried") told.push([type, code, outcome].join(" "));
  });
  await daemon.start();
  const files = [];
  try { while (true) files.push(Deno.openSync(${JSON.stringify(file)})); } catch { /* used up */ }
  await daemon.scan();
  for (const each of files) each.close();
  await daemon.scan();
  console.log(told.join());`;

Deno.test({
  name: "Daemon: what lies in a folder that can't be listed is not told as removed",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    const plugins = directory.file("plugins");
    await Deno.mkdir(plugins);
    const { path } = await publish(plugins, "throw new Error('not yet');", { name: "scarce" });
    const { stdout, stderr } = await runWithFewFiles(directory.path, script(plugins, path));
    assertEquals(stdout, "failed load \n", stderr);
  },
});
