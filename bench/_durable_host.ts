// deno-lint-ignore-file no-console -- what it prints is its answer
/**
 * The floor for a durable swap: a script that watches a directory and for what comes reads it, takes
 * its SHA-256, flushes a line into a journal, writes and flushes its state, imports it, and calls it.
 * With `late`, the state is written once it has answered, as the daemon does.
 *
 * Arguments: the directory, a folder for journal and state, and when the state is written.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { toFileUrl } from "@std/path";

const [directory = "", state = "", when = "early"] = Deno.args;
const journal = await Deno.open(`${state}/journal`, { create: true, append: true });
const watcher = Deno.watchFs(directory);
const seen = new Set<string>();
const encoder = new TextEncoder();
console.log("ready");
for await (const event of watcher) {
  for (const path of event.paths) {
    if (!path.endsWith(".mjs") || seen.has(path)) continue;
    seen.add(path);
    const digest = createHash("sha256").update(await Deno.readFile(path)).digest("hex");
    await journal.write(encoder.encode(`${JSON.stringify({ path, digest })}\n`));
    await journal.syncData();
    if (when === "early") await writeState(path, digest);
    const url = `${toFileUrl(path).href}?g=${seen.size}`;
    const { quote } = await import(url);
    quote({ price: "19.99", quantity: 3 });
    console.log(`answered ${path}`);
    if (when === "late") await writeState(path, digest);
  }
}

async function writeState(path: string, digest: string): Promise<void> {
  {
    using file = await Deno.open(`${state}/state.new`, {
      create: true,
      write: true,
      truncate: true,
    });
    await file.write(encoder.encode(JSON.stringify({ current: { path, digest } })));
    await file.syncData();
  }
  await Deno.rename(`${state}/state.new`, `${state}/state.json`);
}
