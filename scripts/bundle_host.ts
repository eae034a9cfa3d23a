/**
 * Writes `plugin/_host_text.ts`: what runs in processes, workers and executables, as one text. To be
 * run after a change in `plugin/`; a test fails until then.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";
import config from "../deno.json" with { type: "json" };

const ROOT = fromFileUrl(new URL("../", import.meta.url));
const FOLDERS: readonly string[] = ["plugin", "artifact"];

/** The file that the text is kept in. */
export const HOST_TEXT_FILE: string = join(ROOT, "plugin", "_host_text.ts");

/**
 * Bundles the host of plugins, and answers with the content of {@linkcode HOST_TEXT_FILE}.
 *
 * It is bundled from a copy with a `node_modules` folder of its own: from elsewhere, the paths of the
 * package cache would decide about names in the result.
 */
export async function bundleHost(): Promise<string> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "hotplug-host-" }));
  try {
    await copySources(folder);
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--minify", "--node-modules-dir=auto", "plugin/_host_entry.ts"],
      cwd: folder,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const text = new TextDecoder().decode(stdout).trimEnd();
    return "// deno-fmt-ignore-file -- made by scripts/bundle_host.ts\n" +
      "/** What runs in a process, worker or executable: one module that needs no other. */\n" +
      `export const HOST_TEXT: string = ${JSON.stringify(`${text}\n`)};\n`;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function copySources(folder: string): Promise<void> {
  const { imports } = config;
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify({ imports, lock: false }));
  await Deno.writeTextFile(join(folder, "package.json"), "{}");
  for (const name of FOLDERS) {
    await Deno.mkdir(join(folder, name));
    for await (const { isFile, name: file } of Deno.readDir(join(ROOT, name))) {
      if (isFile) await Deno.copyFile(join(ROOT, name, file), join(folder, name, file));
    }
  }
}

if (import.meta.main) await Deno.writeTextFile(HOST_TEXT_FILE, await bundleHost());
