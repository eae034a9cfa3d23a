import { fromFileUrl, join } from "@std/path";
import {
  formatArtifactName,
  generateKeyPair,
  infoFileName,
  nextScn,
  parseArtifactName,
  type Scn,
} from "../artifact/mod.ts";
import { build } from "../builder/mod.ts";
import { Host } from "./_host.ts";
import { type Pattern, Publisher } from "./_publisher.ts";
import { quantile, table } from "./_stats.ts";

const SWAPS = 200;
const WARM_UP = 10;
/** Of what is shown beside: other tiers, and a restart. */
const SHORT = 40;
const CROWD = 10_000;
const CROWDED = "daemon, among 10 000 files";
const OLDEST: Scn = 20000101000000;
const INITIAL: Scn = 20200101000000;

/** What `deno run --watch` starts again. */
const RESTARTED = `
  import { quote } from "./current.mjs";
  import { version } from "./version.mjs";
  quote({ price: "19.99", quantity: 3 });
  console.log("answered " + version);
  setInterval(() => {}, 1_000);
`;

/** One way to get a new version to answer: publishes one, and resolves once it did. */
interface Contender extends AsyncDisposable {
  readonly label: string;
  readonly swaps: number;
  swap(): Promise<number>;
}

/**
 * From the rename that publishes a version to its answer to a call, in a running process: the daemon
 * with a state folder against bare scripts, swap by swap in turn.
 *
 * The module is `examples/pricing`, 32 kB.
 */
export async function benchSwap(): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "hotplug-bench-" });
  const contenders: Contender[] = [];
  try {
    const pattern = await buildPattern(folder);
    contenders.push(...await inline(folder, pattern), ...await others(folder, pattern));
    const times = contenders.map((): number[] => []);
    for (let round = 0; round < SWAPS + WARM_UP; round++) {
      for (const [index, { swap, swaps }] of contenders.entries()) {
        if (round >= swaps + WARM_UP) continue;
        const time = await swap();
        if (round >= WARM_UP) times[index]?.push(time);
      }
    }
    return report(contenders, times);
  } finally {
    for (const each of contenders) await each[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
}

async function buildPattern(folder: string): Promise<Pattern> {
  const [artifact] = (await build({
    source: fromFileUrl(new URL("../examples/pricing", import.meta.url)),
    dest: join(folder, "built"),
  })).artifacts;
  if (!artifact) throw new Error("The build made no artifact");
  return {
    info: artifact.info,
    code: await Deno.readFile(artifact.path),
    map: await Deno.readFile(artifact.sourceMapPath ?? ""),
  };
}

/** The first one is what the others are measured against. */
async function inline(folder: string, pattern: Pattern): Promise<Contender[]> {
  return [
    await bare(folder, pattern, "bare, as durable", "_durable_host.ts", "early"),
    await bare(folder, pattern, "bare, as durable, state last", "_durable_host.ts", "late"),
    await bare(folder, pattern, "bare watch and import", "_bare_host.ts"),
    await daemon(folder, pattern, "daemon, inline", {}, SWAPS),
  ];
}

async function others(folder: string, pattern: Pattern): Promise<Contender[]> {
  const { publicKey, privateKey } = await generateKeyPair();
  const [crowded] = await twoFolders(folder, CROWDED);
  await crowd(crowded, pattern);
  return [
    await daemon(folder, pattern, "daemon, signed", { trust: publicKey }, SHORT, privateKey),
    await daemon(folder, pattern, "daemon, reclaimable", { loader: "reclaimable" }, SHORT),
    await daemon(folder, pattern, "daemon, preflight", { preflight: true }, SHORT),
    await daemon(folder, pattern, "daemon, worker", { tier: "worker" }, SHORT),
    await daemon(folder, pattern, "daemon, process", { tier: "process" }, SHORT),
    await daemon(folder, pattern, CROWDED, { initialScn: INITIAL }, SHORT),
    await restart(folder, pattern),
  ];
}

async function daemon(
  folder: string,
  pattern: Pattern,
  label: string,
  options: unknown,
  swaps: number,
  privateKey?: string,
): Promise<Contender> {
  const [watched, state] = await twoFolders(folder, label);
  const host = new Host([path("_daemon_host.ts"), watched, state, JSON.stringify(options)]);
  await host.until("ready");
  const publisher = new Publisher(pattern, privateKey);
  return {
    label,
    swaps,
    swap: async () => {
      const { scn, last } = await publisher.next(watched);
      return await timed(last, () => host.until(`answered ${scn}`));
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

async function bare(
  folder: string,
  { code }: Pattern,
  label: string,
  script: string,
  ...args: string[]
): Promise<Contender> {
  const [watched, state] = await twoFolders(folder, label);
  const host = new Host([path(script), watched, state, ...args]);
  await host.until("ready");
  let count = 0;
  return {
    label,
    swaps: SWAPS,
    swap: async () => {
      const temporary = join(watched, ".temporary");
      await Deno.writeFile(temporary, code);
      await new Promise((resolve) => setTimeout(resolve, 25));
      const file = join(watched, `pricing_${count++}.mjs`);
      return await timed(() => Deno.rename(temporary, file), () => host.until(`answered ${file}`));
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

/** Puts ten thousand files into a folder: versions that are too old to be opened. */
async function crowd(directory: string, { info }: Pattern): Promise<void> {
  const name = parseArtifactName(info.artifact.file);
  let scn: Scn = OLDEST;
  for (let count = 0; count < CROWD; count += 2, scn = nextScn(scn)) {
    const older = { ...name, scn };
    await Deno.writeTextFile(join(directory, formatArtifactName(older)), "");
    await Deno.writeTextFile(join(directory, infoFileName(older)), "");
  }
}

/** What there is without hotplug: Deno starts the program anew when a file of it changes. */
async function restart(folder: string, { code }: Pattern): Promise<Contender> {
  const [watched] = await twoFolders(folder, "restart");
  const main = join(watched, "main.ts");
  await Deno.writeTextFile(main, RESTARTED);
  let version: Scn = 0;
  const publish = async (): Promise<void> => {
    await Deno.writeTextFile(
      join(watched, "version.mjs"),
      `export const version = ${++version};\n`,
    );
  };
  await Deno.writeFile(join(watched, "current.mjs"), code);
  await publish();
  const host = new Host(["--quiet", "--watch", "--no-config", main]);
  await host.until(`answered ${version}`);
  return {
    label: "deno run --watch, restarted",
    swaps: SHORT,
    swap: () => timed(publish, () => host.until(`answered ${version}`)),
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

async function twoFolders(folder: string, label: string): Promise<[string, string]> {
  const own = join(folder, label.replaceAll(/\W+/g, "_"));
  const [watched, state] = [join(own, "watched"), join(own, "state")] as const;
  for (const each of [watched, state]) await Deno.mkdir(each, { recursive: true });
  return [watched, state];
}

async function timed(last: () => Promise<void>, live: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await last();
  await live();
  return performance.now() - began;
}

function report(contenders: readonly Contender[], times: readonly (readonly number[])[]): string[] {
  const floor = times[0] ?? [];
  const rows = contenders.map(({ label }, index) => {
    const own = times[index] ?? [];
    const at = (share: number): string[] => {
      const value = quantile(own, share);
      return [`${value.toFixed(1)} ms`, `${(value / quantile(floor, share)).toFixed(2)}x`];
    };
    return [label, `${own.length}`, ...at(0.5), ...at(0.99)];
  });
  return [
    "swap: from the rename to the answer of a 32 kB module, beside a script that does as durable work",
    ...table([["", "swaps", "p50", "ratio", "p99", "ratio"], ...rows]),
    "",
  ];
}

function path(relative: string): string {
  return fromFileUrl(new URL(relative, import.meta.url));
}
