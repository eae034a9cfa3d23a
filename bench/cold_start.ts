import { fromFileUrl, join } from "@std/path";
import { publishModule } from "./_publish_module.ts";
import { quantile, table } from "./_stats.ts";

const PLUGINS = 20;
const VERSIONS = 500;
const RUNS = 15;
const WARM_UP = 2;
/** As large as a small plugin is. */
const FILLER = Array.from({ length: 60 }, (_, n) => `export const f${n} = (x) => x + ${n};`).join(
  "\n",
);

interface Start {
  /** Until the program's first line: Deno's own start, and its modules. */
  readonly before: number;
  /** From there until it is ready. */
  readonly own: number;
}

/**
 * The start with 10 000 artifacts of 20 plugins in the folder, from the program's first line until it
 * is ready: the daemon, with a state folder that it finds empty or as it left it, against a bare script
 * that lists the folder and imports the 20 newest.
 */
export async function benchColdStart(): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "hotplug-bench-" });
  try {
    const watched = join(folder, "watched");
    await Deno.mkdir(watched);
    await fill(watched);
    const rows: Record<string, Start[]> = { bare: [], first: [], again: [] };
    for (let run = 0; run < RUNS + WARM_UP; run++) {
      const state = join(folder, `state${run}`);
      const all = {
        bare: await start("_cold_host.ts", watched),
        first: await start("_cold_daemon.ts", watched, state),
        again: await start("_cold_daemon.ts", watched, state),
      };
      if (run < WARM_UP) continue;
      for (const [kind, time] of Object.entries(all)) rows[kind]?.push(time);
    }
    return report(rows);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function fill(directory: string): Promise<void> {
  const source = `export const answer = () => 1;\n${FILLER}`;
  for (let plugin = 0; plugin < PLUGINS; plugin++) {
    for (let version = 0; version < VERSIONS; version++) {
      const scn = 20240101000000 + Math.floor(version / 60) * 100 + version % 60;
      await publishModule(directory, `plugin${plugin}`, scn, source);
    }
  }
}

async function start(script: string, ...args: string[]): Promise<Start> {
  const began = performance.now();
  const { stdout, success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", fromFileUrl(new URL(script, import.meta.url)), ...args],
  }).output();
  const whole = performance.now() - began;
  const [, count, entered, ready] = new TextDecoder().decode(stdout).trim().split(" ").map(Number);
  if (!success || count !== PLUGINS || entered === undefined || ready === undefined) {
    throw new Error(`"${script}" has failed: ${new TextDecoder().decode(stderr)}`);
  }
  const own = ready - entered;
  return { before: whole - own, own };
}

function report({ bare = [], first = [], again = [] }: Record<string, Start[]>): string[] {
  const floor = quantile(bare.map(({ own }) => own), 0.5);
  const row = (label: string, starts: readonly Start[]): string[] => {
    const own = quantile(starts.map((each) => each.own), 0.5);
    const before = quantile(starts.map((each) => each.before), 0.5);
    return [
      label,
      `${own.toFixed(0)} ms`,
      `${(own / floor).toFixed(2)}x`,
      `${before.toFixed(0)} ms`,
    ];
  };
  return [
    `cold start: ${PLUGINS * VERSIONS} artifacts of ${PLUGINS} plugins, p50 of ${RUNS}`,
    ...table([
      ["", "first line to ready", "ratio", "Deno's start and end, loading of the program"],
      row("bare listing and import", bare),
      row("daemon, no state yet", first),
      row("daemon, with its state", again),
    ]),
    "",
  ];
}
