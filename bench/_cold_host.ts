// deno-lint-ignore-file no-console -- what it prints is its answer
/**
 * A bare start: it lists a folder, finds the newest of each plugin by the names, and imports these.
 *
 * @module
 */

import { toFileUrl } from "@std/path";

const entered = performance.now();
const [directory = ""] = Deno.args;
const newest = new Map<string, string>();
for await (const { name } of Deno.readDir(directory)) {
  const [, plugin, scn] = /^(\w+?)_(\d{14})_.*\.mjs$/.exec(name) ?? [];
  if (plugin === undefined || scn === undefined) continue;
  const before = newest.get(plugin);
  if (before === undefined || before < name) newest.set(plugin, name);
}
await Promise.all([...newest.values()].map((name) => {
  const url = toFileUrl(`${directory}/${name}`).href;
  return import(url);
}));
console.log(`ready ${newest.size} ${entered} ${performance.now()}`);
