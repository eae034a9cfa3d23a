// deno-lint-ignore-file no-console -- what it prints is its answer
/**
 * Loads generation after generation of a plugin, by the manager or bare, and prints heap and RSS on
 * the way. A process of its own for each kind, since what one leaves would be charged to the next.
 *
 * Arguments: the kind, how many generations, at which of them to print, and how many of another plugin
 * come before.
 *
 * @module
 */

import { fromFileUrl, toFileUrl } from "@std/path";
import { setTimeout } from "node:timers/promises";
import v8 from "node:v8";
import { nextScn } from "../artifact/mod.ts";
import { PluginManager, type PluginSettings } from "../manager/mod.ts";

const [kind = "", count = "0", marks = "", before = "0"] = Deno.args;
const at = marks.split(",").map(Number);
const folder = await Deno.makeTempDir({ prefix: "hotplug-bench-" });
const FILLER = Array.from(
  { length: 300 },
  (_, n) => `export const f${n} = (x) => x + ${n} * 2;`,
).join("\n");
const source = (n: number): string => `export const answer = () => ${n};\n${FILLER}`;

/** Brings one more generation up, and what is no longer needed down. */
type Step = (n: number) => Promise<void>;

const settings: Record<string, PluginSettings> = {
  "inline": { retention: { count: 2 } },
  "reclaimable": { loader: "reclaimable", retention: { count: 2 } },
  "worker": { tier: "worker", retention: { count: 2 } },
  "process": { tier: "process", retention: { count: 2 } },
};

const bare: Record<string, Step> = {
  "bare import": async (n) => {
    const { answer } = await import(toFileUrl(await write(n)).href);
    if (answer() !== n) throw new Error("wrong answer");
  },
  "bare worker": async (n) => {
    const text = `${source(n)}\nonmessage = () => postMessage(answer());`;
    const url = toFileUrl(await write(n, text)).href;
    const worker = new Worker(url, { type: "module" });
    worker.postMessage("answer");
    const answer = await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
    worker.terminate();
    await Deno.remove(fromFileUrl(url));
    if (answer !== n) throw new Error("wrong answer");
  },
  "bare process": async (n) => {
    const path = await write(
      n,
      `${source(n)}
       for await (const _ of Deno.stdin.readable) console.log(answer());`,
    );
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-config", "--no-lock", "--no-remote", "--no-npm", path],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const [writer, reader] = [child.stdin.getWriter(), child.stdout.getReader()];
    await writer.write(new TextEncoder().encode("answer"));
    const { value } = await reader.read();
    child.kill("SIGKILL");
    await Promise.all([reader.cancel(), writer.abort(), child.stderr.cancel(), child.status]);
    await Deno.remove(path);
    if (Number(new TextDecoder().decode(value)) !== n) throw new Error("wrong answer");
  },
};

async function write(n: number, text = source(n)): Promise<string> {
  const path = `${folder}/m${n}.mjs`;
  await Deno.writeTextFile(path, text);
  return path;
}

function managed(manager: PluginManager, name: string): Step {
  let scn = 20240101000000;
  return async (n) => {
    scn = nextScn(scn);
    const path = `${folder}/${name}_${scn}_2_0_0_any_any.mjs`;
    await Deno.writeTextFile(path, source(n));
    const generation = await manager.open(path);
    if (await generation.call("answer") !== n) throw new Error("wrong answer");
    await Deno.remove(path);
  };
}

/** After what is still ending has ended. */
async function measure(n: number): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await setTimeout(20);
    (globalThis as { gc?: () => void }).gc?.();
  }
  const { used_heap_size: heap } = v8.getHeapStatistics();
  console.log(JSON.stringify({ n, heap, rss: Deno.memoryUsage().rss }));
}

await using manager = new PluginManager(settings[kind] ?? {});
const runIn = bare[kind] ?? managed(manager, "other");
// Other numbers: what was imported once is not imported again.
for (let n = 1; n <= Number(before); n++) await runIn(-n);
const step = bare[kind] ?? managed(manager, "memory");
for (let n = 1; n <= Number(count); n++) {
  await step(n);
  if (at.includes(n)) await measure(n);
}
await manager.close();
await Deno.remove(folder, { recursive: true });
