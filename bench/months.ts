import { fromFileUrl } from "@std/path";
import { table } from "./_stats.ts";

const SWAPS = 2_000;
const CALLS = 100;
/** What V8 keeps for later is at its most after some hundred workers, in a bare loop too. */
const WARM_UP = 600;

interface Sample {
  readonly n: number;
  readonly heap: number;
  readonly rss: number;
  readonly files: number;
  readonly watches: number;
}

/**
 * What a daemon with a worker tier takes after 2 000 swaps and 200 000 calls, beside what it took after
 * the first 600; RSS beside a loop that starts and ends as many bare workers.
 */
export async function benchMonths(): Promise<string[]> {
  const marks = `${WARM_UP},${SWAPS}`;
  const own = await run("_months_host.ts", `${SWAPS}`, `${CALLS}`, marks);
  const bare = await run("_memory_host.ts", "bare worker", `${SWAPS}`, marks);
  const growth = ([first, last]: Sample[], key: keyof Sample): number =>
    (last?.[key] ?? NaN) - (first?.[key] ?? NaN);
  const row = (label: string, key: keyof Sample, unit: number): string[] => {
    const [first, last] = own.map((sample) => sample[key]);
    const share = (last ?? NaN) / (first ?? NaN) - 1;
    return [
      label,
      ((first ?? NaN) / unit).toFixed(1),
      ((last ?? NaN) / unit).toFixed(1),
      `${(share * 100).toFixed(1)} %`,
    ];
  };
  const ratio = growth(own, "rss") / growth(bare, "rss");
  return [
    `months: ${SWAPS} swaps and ${SWAPS * CALLS} calls, worker tier, state folder`,
    ...table([
      ["", `after ${WARM_UP}`, `after ${SWAPS}`, "growth"],
      row("heap, MB", "heap", 1e6),
      row("open files", "files", 1),
      row("inotify watches", "watches", 1),
      row("RSS, MB", "rss", 1e6),
    ]),
    `RSS grew ${ratio.toFixed(2)} times as much as that of a bare loop of workers ` +
    `(${(growth(bare, "rss") / 1e6).toFixed(1)} MB)`,
    "",
  ];
}

async function run(script: string, ...args: string[]): Promise<Sample[]> {
  const host = fromFileUrl(new URL(script, import.meta.url));
  const flags = "--v8-flags=--no-compilation-cache,--expose-gc";
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-code-cache", flags, host, ...args],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`"${script}" has failed`);
  return new TextDecoder().decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
}
