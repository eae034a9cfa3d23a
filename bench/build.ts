import { cp } from "node:fs/promises";
import { fromFileUrl, join } from "@std/path";
import { quantile, table } from "./_stats.ts";

const ROUNDS = 9;
const WARM_UP = 2;

const PRICING = path("../examples/pricing");
const HOTPLUG = ["run", "-A", path("../cli/main.ts"), "build", PRICING, "--gzip", "--json"];

interface Times {
  readonly bare: number[];
  readonly one: number[];
  readonly all: number[];
}

/**
 * `hotplug build` of `examples/pricing`, for one target and for all six, against a bare `deno check`
 * and `deno bundle` of the same source; whole processes, round by round in turn.
 *
 * The bare one gets a copy of the source for each round, as a build makes one: Deno checks no file
 * twice that lies where it was.
 */
export async function benchBuild(): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "hotplug-bench-" });
  const times: Times = { bare: [], one: [], all: [] };
  try {
    for (let round = 0; round < ROUNDS + WARM_UP; round++) {
      const measured = {
        bare: await bare(join(folder, `bare-${round}`)),
        one: await timed([...HOTPLUG, "--dest", join(folder, `one-${round}`)]),
        all: await timed([...HOTPLUG, "--dest", join(folder, `all-${round}`), "--target", "all"]),
      };
      if (round < WARM_UP) continue;
      times.bare.push(measured.bare);
      times.one.push(measured.one);
      times.all.push(measured.all);
    }
    return report(times);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function bare(cwd: string): Promise<number> {
  await cp(PRICING, cwd, { recursive: true });
  const output = ["--minify", "--sourcemap=linked", "--output=out/plugin.mjs"];
  return await timed(["check", "--quiet", "mod.ts"], cwd) +
    await timed(["bundle", "--quiet", ...output, "mod.ts"], cwd);
}

async function timed(args: readonly string[], cwd?: string): Promise<number> {
  const began = performance.now();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return performance.now() - began;
}

function report({ bare, one, all }: Times): string[] {
  const p50 = (samples: readonly number[]): number => quantile(samples, 0.5);
  const row = (label: string, samples: readonly number[], floor: readonly number[]): string[] => [
    label,
    `${p50(samples).toFixed(0)} ms`,
    `${(p50(samples) / p50(floor)).toFixed(2)}x`,
  ];
  return [
    `build: examples/pricing, ${ROUNDS} rounds, p50 of whole processes`,
    ...table([
      ["", "time", "ratio"],
      row("deno check, deno bundle", bare, bare),
      row("hotplug build, to the line above", one, bare),
      row("hotplug build --target all, to the line above", all, one),
    ]),
    "",
  ];
}

function path(relative: string): string {
  return fromFileUrl(new URL(relative, import.meta.url));
}
