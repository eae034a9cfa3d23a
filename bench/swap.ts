import { fromFileUrl, join } from "@std/path";
import {
  artifactStem,
  formatArtifactName,
  formatInfo,
  type InfoFile,
  lockFileName,
  nextScn,
  parseArtifactName,
  type Scn,
} from "../artifact/mod.ts";
import { build, type BuiltArtifact } from "../builder/mod.ts";
import { Host } from "./_host.ts";
import { quantile, table } from "./_stats.ts";

const SWAPS = 60;
const WARM_UP = 10;

/**
 * From the last step of publishing to live, in a running process: the daemon against a bare script
 * that watches and imports, swap by swap in turn.
 *
 * The module is `examples/pricing`, 32 kB.
 */
export async function benchSwap(): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "hotplug-bench-" });
  try {
    const [artifact] = (await build({
      source: fromFileUrl(new URL("../examples/pricing", import.meta.url)),
      dest: join(folder, "built"),
    })).artifacts;
    if (!artifact) throw new Error("The build made no artifact");
    const { daemon, bare } = await measure(folder, artifact);
    return report(daemon, bare);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function measure(
  folder: string,
  artifact: BuiltArtifact,
): Promise<{ daemon: number[]; bare: number[] }> {
  const watched = join(folder, "watched");
  const bareWatched = join(folder, "bare");
  await Deno.mkdir(watched);
  await Deno.mkdir(bareWatched);
  const code = await Deno.readFile(artifact.path);
  const map = await Deno.readFile(artifact.sourceMapPath ?? "");
  await using daemonHost = new Host([
    path("../cli/main.ts"),
    "daemon",
    watched,
    "--json",
    "--no-state",
  ]);
  await using bareHost = new Host([path("./_bare_host.ts"), bareWatched]);
  await daemonHost.until(`"ready"`);
  await bareHost.until("ready");
  const daemon: number[] = [];
  const bare: number[] = [];
  let scn = artifact.info.scn;
  for (let swap = 0; swap < SWAPS + WARM_UP; swap++) {
    scn = nextScn(scn);
    const last = await publish(watched, artifact.info, scn, code, map);
    const daemonTime = await timed(last, () => daemonHost.until(`"scn":${scn}`));
    const temporary = join(bareWatched, ".temporary");
    await Deno.writeFile(temporary, code);
    const file = join(bareWatched, `pricing_${scn}.mjs`);
    const rename = (): Promise<void> => Deno.rename(temporary, file);
    const bareTime = await timed(rename, () => bareHost.until(file));
    if (swap < WARM_UP) continue;
    daemon.push(daemonTime);
    bare.push(bareTime);
  }
  return { daemon, bare };
}

/** Does all but the last step of publishing, as the builder does; answers with the last one. */
async function publish(
  directory: string,
  info: InfoFile,
  scn: Scn,
  code: Uint8Array,
  map: Uint8Array,
): Promise<() => Promise<void>> {
  const name = { ...parseArtifactName(info.artifact.file), scn };
  const stem = artifactStem(name);
  const lock = join(directory, lockFileName(name.name, scn));
  const file = formatArtifactName(name);
  await Deno.writeTextFile(lock, "");
  await Deno.writeFile(join(directory, file), code);
  const sourceMap = info.sourceMap && { ...info.sourceMap, file: `${stem}.mjs.map` };
  if (sourceMap) await Deno.writeFile(join(directory, sourceMap.file), map);
  const own = {
    ...info,
    scn,
    artifact: { ...info.artifact, file },
    ...(sourceMap && { sourceMap }),
  };
  await Deno.writeTextFile(join(directory, `${stem}.pinf`), formatInfo(own));
  return () => Deno.remove(lock);
}

async function timed(last: () => Promise<void>, live: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await last();
  await live();
  return performance.now() - began;
}

function report(daemon: readonly number[], bare: readonly number[]): string[] {
  const row = (label: string, share: number): string[] => {
    const [ours, floor] = [quantile(daemon, share), quantile(bare, share)];
    return [label, ms(ours), ms(floor), `${(ours / floor).toFixed(2)}x`];
  };
  return [
    `swap: publish to live, ${SWAPS} swaps of a 32 kB module`,
    ...table([
      ["", "daemon", "bare watch and import", "ratio"],
      row("p50", 0.5),
      row("p90", 0.9),
      row("max", 1),
    ]),
    "",
  ];
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

function path(relative: string): string {
  return fromFileUrl(new URL(relative, import.meta.url));
}
