// deno-lint-ignore-file no-console -- what it prints is its output
/**
 * The floor for a swap: a script that watches a directory and imports what comes. No check, no
 * digest, no order, no second try.
 *
 * @module
 */

import { toFileUrl } from "@std/path";

const directory = Deno.args[0] ?? "";
const watcher = Deno.watchFs(directory);
const seen = new Set<string>();
console.log("ready");
for await (const event of watcher) {
  for (const path of event.paths) {
    if (!path.endsWith(".mjs") || seen.has(path)) continue;
    seen.add(path);
    const url = `${toFileUrl(path).href}?g=${seen.size}`;
    const { quote } = await import(url);
    quote({ price: "19.99", quantity: 3 });
    console.log(`answered ${path}`);
  }
}
