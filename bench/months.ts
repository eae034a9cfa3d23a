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

/** After the warm-up, and at the end. */
type Pair = [Sample, Sample];

/** V8 sizes its nursery by what happens to be alive as it looks: 16 MB more or less, in a bare loop too. */
const STEADY = ["--min-semi-space-size=8", "--max-semi-space-size=8"];

/**
 * What a daemon with a worker tier takes after 2 000 swaps and 200 000 calls, beside what it took after
 * the first 600; RSS beside a loop that starts and ends as many bare workers, as V8 comes and with its
 * nursery held at one size.
 */
export async function benchMonths(): Promise<string[]> {
  const marks = `${WARM_UP},${SWAPS}`;
  const daemon = (flags: readonly string[] = []) =>
    run("_months_host.ts", flags, `${SWAPS}`, `${CALLS}`, marks);
  const loop = (flags: readonly string[] = []) =>
    run("_memory_host.ts", flags, "bare worker", `${SWAPS}`, marks);
  const [own, ownSteady] = await Promise.all([daemon(), daemon(STEADY)]);
  const [bare, bareSteady] = await Promise.all([loop(), loop(STEADY)]);
  const row = (label: string, [first, last]: Pair, key: keyof Sample, unit = 1): string[] => [
    label,
    (first[key] / unit).toFixed(1),
    (last[key] / unit).toFixed(1),
    `${((last[key] / first[key] - 1) * 100).toFixed(1)} %`,
  ];
  return [
    `months: ${SWAPS} swaps and ${SWAPS * CALLS} calls, worker tier, state folder`,
    ...table([
      ["", `after ${WARM_UP}`, `after ${SWAPS}`, "growth"],
      row("heap, MB", own, "heap", 1e6),
      row("open files", own, "files"),
      row("inotify watches", own, "watches"),
      row("RSS, MB", own, "rss", 1e6),
      row("RSS of a bare loop of workers, MB", bare, "rss", 1e6),
      row("RSS with a steady nursery, MB", ownSteady, "rss", 1e6),
      row("RSS of a bare loop with one, MB", bareSteady, "rss", 1e6),
    ]),
    "",
  ];
}

async function run(script: string, flags: readonly string[], ...args: string[]): Promise<Pair> {
  const host = fromFileUrl(new URL(script, import.meta.url));
  const v8 = ["--no-compilation-cache", "--expose-gc", ...flags].join(",");
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-code-cache", `--v8-flags=${v8}`, host, ...args],
    stderr: "inherit",
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  if (!success || lines.length !== 2) throw new Error(`"${script}" has failed`);
  return lines.map((line) => JSON.parse(line)) as Pair;
}
