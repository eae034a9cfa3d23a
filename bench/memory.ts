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

/**
 * How heap and RSS of a host grow from one generation to another, beside a loop that does nothing
 * but start and end something of the same kind.
 */
export async function benchMemory(): Promise<string[]> {
  const lines = [["", "generations", "heap", "RSS", "bare heap", "bare RSS", "RSS to bare"]];
  for (const [kind, floor, to, from] of PAIRS) {
    const own = await grown(kind, to, from);
    const bare = await grown(floor, to, from);
    const ratio = bare.rss > 0 ? `${(own.rss / bare.rss).toFixed(2)}x` : "-";
    lines.push([
      `${kind} to ${floor}`,
      `${from} to ${to}`,
      `${percent(own.heapShare)}`,
      megabytes(own.rss),
      percent(bare.heapShare),
      megabytes(bare.rss),
      ratio,
    ]);
  }
  return ["memory: growth of the host, retention { count: 2 }", ...table(lines), ""];
}

async function grown(kind: string, to: number, from: number) {
  const flags = "--v8-flags=--no-compilation-cache,--expose-gc";
  const host = fromFileUrl(new URL("./_memory_host.ts", import.meta.url));
  const args = [
    "run",
    "-A",
    "--no-check",
    "--no-code-cache",
    flags,
    host,
    kind,
    `${to}`,
    `${from},${to}`,
  ];
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
