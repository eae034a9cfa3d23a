// deno-lint-ignore-file no-console -- what it prints is its answer
/**
 * A daemon for months, in minutes: version after version is published into its folder, and called.
 * Prints, at some of them, its heap, RSS, open files and inotify watches.
 *
 * Arguments: how many swaps, how many calls of each version, and at which swaps to print.
 *
 * @module
 */

import { setTimeout } from "node:timers/promises";
import v8 from "node:v8";
import { PluginDaemon } from "../daemon/mod.ts";
import { nextScn } from "../artifact/mod.ts";
import { publishModule } from "./_publish_module.ts";

const [swaps = 0, calls = 0] = Deno.args.map(Number);
const marks = (Deno.args[2] ?? "").split(",").map(Number);
const folder = await Deno.makeTempDir({ prefix: "hotplug-bench-" });
const [watched, state] = [`${folder}/watched`, `${folder}/state`];
await Deno.mkdir(watched);
const FILLER = Array.from({ length: 300 }, (_, n) => `export const f${n} = (x) => x + ${n};`)
  .join("\n");

{
  await using daemon = new PluginDaemon({
    watch: [watched],
    state,
    tier: "worker",
    retention: { count: 2 },
  });
  await daemon.start();
  let loaded = Promise.withResolvers<void>();
  using _heard = daemon.subscribe(({ type }) => {
    if (type === "loaded") loaded.resolve();
  });
  let scn = 20240101000000;
  const published: string[][] = [];
  for (let n = 1; n <= swaps; n++) {
    scn = nextScn(scn);
    loaded = Promise.withResolvers();
    const source = `export const answer = () => ${n};\n${FILLER}`;
    published.push(await publishModule(watched, "months", scn, source));
    await loaded.promise;
    for (let call = 0; call < calls; call++) {
      using lease = daemon.manager.acquire("months");
      if (await lease.call("answer") !== n) throw new Error("wrong answer");
    }
    // As whoever publishes cleans up.
    if (published.length > 3) {
      for (const path of published.shift() ?? []) await Deno.remove(path);
    }
    if (marks.includes(n)) await measure(n);
  }
}
await Deno.remove(folder, { recursive: true });

/** After what is still ending has ended. */
async function measure(n: number): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    await setTimeout(30);
    (globalThis as { gc?: () => void }).gc?.();
  }
  const { used_heap_size: heap } = v8.getHeapStatistics();
  const { rss } = Deno.memoryUsage();
  console.log(JSON.stringify({ n, heap, rss, ...await openFiles() }));
}

/** Linux tells; elsewhere there are none to compare. */
async function openFiles(): Promise<{ files: number; watches: number }> {
  if (Deno.build.os !== "linux") return { files: 0, watches: 0 };
  let [files, watches] = [0, 0];
  for await (const { name } of Deno.readDir("/proc/self/fdinfo")) {
    files++;
    const info = await Deno.readTextFile(`/proc/self/fdinfo/${name}`).catch(() => "");
    watches += info.split("\n").filter((line) => line.startsWith("inotify ")).length;
  }
  return { files, watches };
}
