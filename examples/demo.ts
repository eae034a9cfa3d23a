// deno-lint-ignore-file no-console -- it talks to people
/**
 * The main job from end to end, for real: build, watch, call, swap, refuse. Run by `deno task demo`.
 *
 * It fails, with exit code 1, if one of the things it shows does not hold.
 *
 * @module
 */

import { build, formatArtifactName, type InfoFile, parseArtifactName } from "@hotplug/hotplug";
import { join } from "@std/path";
import { configure, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { Shop } from "./_shop.ts";

configure({ useWebWorkers: false });

const began = performance.now();
const pricing = new URL("./pricing/", import.meta.url);
const order = "price=19.99&quantity=12";
let steps = 0;

try {
  await demo();
  say(`Done in ${((performance.now() - began) / 1000).toFixed(1)} s: all of it held.`);
} catch (error) {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.stack : error}`);
  Deno.exitCode = 1;
}

async function demo(): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "hotplug-demo-" });
  const plugins = join(folder, "plugins");
  try {
    step("Build the plugin `pricing` from a zip of TypeScript that uses npm:decimal.js");
    const first = await publish(join(folder, "v1.zip"), plugins, (source) => source);

    step("Start a server that watches the folder, as a process of its own");
    await using shop = await Shop.start(plugins);
    say(`listening on port ${shop.port}`);

    step("Ask it for a price");
    const before = await shop.get("quote", order);
    show(before);
    holds(before.scn === first.scn, "the first version answers");
    holds(quoted(before) === "227.89", "12 x 19.99 less 5 % is 227.89");
    const lease = await shop.post("lease");
    say(`a lease is taken on generation ${lease.scn}`);

    step("Build a changed version: 10 % instead of 5 % for ten or more");
    const loaded = shop.event("loaded");
    const second = await publish(
      join(folder, "v2.zip"),
      plugins,
      (source) => source.replace("from: 10, percent: 5", "from: 10, percent: 10"),
    );
    const event = await loaded;
    const latency = Date.parse(String(event.time)) - second.published;
    holds(
      event.scn === second.scn && event.previous === first.scn,
      "the second replaced the first",
    );
    say(`live ${latency} ms after it was published, ${event.durationMs} ms of them to load it`);
    const after = await shop.get("quote", order);
    show(after);
    holds(after.scn === second.scn && quoted(after) === "215.89", "the second version answers");

    step("Ask the old generation, through the lease");
    const leased = await shop.get("leased-quote", `${order}&lease=${lease.lease}`);
    show(leased);
    holds(
      leased.scn === first.scn && quoted(leased) === "227.89",
      "the first version still answers",
    );

    step("Offer it an outdated artifact");
    const outdated = await shop.post("open", `path=${encodeURIComponent(first.path)}`);
    say(String(outdated.message));
    holds(outdated.code === "outdated", "it is refused as outdated");

    step("Offer it a corrupted artifact: the newest so far, with one bit flipped");
    const failed = shop.event("failed");
    const corrupted = await publishCorrupted(join(folder, "v2.zip"), folder, plugins);
    const failure = await failed;
    say(String(failure.message));
    holds(failure.code === "integrity" && failure.path === corrupted, "it is refused by its name");
    holds((await shop.get("quote", order)).scn === second.scn, "the second version still answers");

    step("What is in memory");
    const memory = await shop.get("memory");
    for (const each of memory as unknown as Record<string, unknown>[]) {
      say(`${each.name} ${each.scn} ${String(each.state).padEnd(10)} leases ${each.leases}`);
    }
    holds(Array.isArray(memory) && memory.length === 2, "both generations are there");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Zips the example, changed, and builds it into the folder. */
async function publish(
  zip: string,
  dest: string,
  change: (source: string) => string,
): Promise<{ scn: number; path: string; published: number }> {
  await Deno.writeFile(zip, await zipped(change));
  const { scn, artifacts, durationMs } = await build({ source: zip, dest, name: "pricing" });
  const [artifact] = artifacts;
  if (!artifact) throw new Error("The build made no artifact");
  const { mtime } = await Deno.stat(artifact.infoPath);
  say(`built ${artifact.path.slice(dest.length + 1)} in ${durationMs.toFixed(0)} ms`);
  return { scn, path: artifact.path, published: mtime?.getTime() ?? NaN };
}

/** Builds it elsewhere, flips a bit, and moves it in as a copy would come: the info file last. */
async function publishCorrupted(source: string, folder: string, plugins: string): Promise<string> {
  const newer = new Date(Date.now() + 5000).toISOString().replace(/\D/g, "").slice(0, 14);
  const built = await build({
    source,
    dest: join(folder, "elsewhere"),
    name: "pricing",
    scn: Number(newer),
  });
  const [artifact] = built.artifacts;
  if (!artifact) throw new Error("The build made no artifact");
  const info: InfoFile = artifact.info;
  const bytes = await Deno.readFile(artifact.path);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  const path = join(plugins, formatArtifactName(parseArtifactName(info.artifact.file)));
  await Deno.rename(artifact.infoPath, path.replace(/\.mjs$/, ".pinf"));
  await Deno.writeFile(path, bytes);
  return path;
}

async function zipped(change: (source: string) => string): Promise<Uint8Array> {
  const zip = new ZipWriter(new Uint8ArrayWriter());
  for (const file of ["deno.json", "mod.ts", "lib/discount.ts"]) {
    const text = change(await Deno.readTextFile(new URL(file, pricing)));
    await zip.add(file, new Uint8ArrayReader(new TextEncoder().encode(text)));
  }
  return await zip.close();
}

function quoted(answer: Record<string, unknown>): unknown {
  return (answer.quote as { total?: unknown } | undefined)?.total;
}

function step(text: string): void {
  console.log(`\n${++steps}. ${text}`);
}

function show(answer: Record<string, unknown>): void {
  say(`generation ${answer.scn} answers ${JSON.stringify(answer.quote)}`);
}

function say(text: string): void {
  console.log(`   ${text}`);
}

function holds(condition: boolean, what: string): void {
  if (!condition) throw new Error(`This does not hold: ${what}`);
  console.log(`   ✓ ${what}`);
}
