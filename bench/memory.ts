import { fromFileUrl } from "@std/path";
import { table } from "./_stats.ts";

interface Sample {
  readonly n: number;
  readonly heap: number;
  readonly rss: number;
}

/** Each kind of generation beside a bare loop of the same kind: which, how many, from which on. */
const PAIRS = [
  ["inline", "bare import", 500, 100],
  ["reclaimable", "bare import", 2_000, 100],
  ["worker", "bare worker", 500, 100],
  ["process", "bare process", 500, 100],
] as const;

/** So many generations of another plugin come first in a host that has been up for a while. */
const BEFORE = 600;

/** A retired module's memory comes back only without V8's cache of what it has compiled. */
const FLAGS = "--expose-gc,--no-compilation-cache";
/** What V8 adds by itself as a process runs: compiled code, and a larger nursery. */
const COLD = `${FLAGS},--no-opt,--no-maglev,--no-sparkplug,--max-semi-space-size=8`;

/**
 * How heap and RSS of a host grow from one generation to another, beside a loop that does nothing
 * but start and end something of the same kind: without what V8 adds by itself, with it from a host's
 * first hour on, and in a host that has had 600 generations of another plugin.
 */
export async function benchMemory(): Promise<string[]> {
  const rows = [["", "generations", "heap", "RSS", "bare heap", "bare RSS", "RSS to bare"]];
  const ways = [["cold", COLD, 0], ["warm", FLAGS, 0], ["run in", FLAGS, BEFORE]] as const;
  for (const [how, flags, before] of ways) {
    for (const [kind, floor, to, from] of PAIRS) {
      const own = await grown(kind, { to, from, flags, before });
      const bare = await grown(floor, { to, from, flags, before });
      const ratio = bare.rss > 0 ? `${(own.rss / bare.rss).toFixed(2)}x` : "-";
      rows.push([
        `${kind} to ${floor}, ${how}`,
        `${from} to ${to}`,
        percent(own.heapShare),
        megabytes(own.rss),
        percent(bare.heapShare),
        megabytes(bare.rss),
        ratio,
      ]);
    }
  }
  return [
    "memory: growth of the host, retention { count: 2 }; cold: V8 compiles no code and its nursery " +
    `stays as it is; run in: after ${BEFORE} generations of another plugin`,
    ...table(rows),
    "",
  ];
}

interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly flags: string;
  readonly before: number;
}

async function grown(
  kind: string,
  { from, to, flags, before }: Stretch,
): Promise<{ heapShare: number; rss: number }> {
  const host = fromFileUrl(new URL("./_memory_host.ts", import.meta.url));
  const options = ["-A", "--no-check", "--no-code-cache", `--v8-flags=${flags}`];
  const args = ["run", ...options, host, kind, `${to}`, `${from},${to}`, `${before}`];
  const output = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" }).output();
  const samples = new TextDecoder().decode(output.stdout).trim().split("\n");
  const [first, last] = samples.map((line) => JSON.parse(line) as Sample);
  if (!output.success || !first || !last) throw new Error(`The host of "${kind}" has failed`);
  return { heapShare: last.heap / first.heap - 1, rss: last.rss - first.rss };
}

function percent(share: number): string {
  return `${share >= 0 ? "+" : ""}${(share * 100).toFixed(1)} %`;
}

function megabytes(bytes: number): string {
  return `${bytes >= 0 ? "+" : ""}${(bytes / 1e6).toFixed(1)} MB`;
}
