import { join } from "@std/path";
import { PluginManager } from "../manager/mod.ts";
import { quantile, table } from "./_stats.ts";

const ROUNDS = 30;
const CALLS = 100_000;

type Times = Record<"direct" | "call" | "lease" | "handle" | "guarded", number[]>;
type Add = (a: number, b: number) => number;

/** What `call` adds to a call of the export itself; round by round in turn. */
export async function benchCall(): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "hotplug-bench-" });
  const file = join(folder, "adder_20261123014512_2_9_5_any_any.mjs");
  await Deno.writeTextFile(file, "export const add = (a, b) => a + b;");
  try {
    const times: Times = { direct: [], call: [], lease: [], handle: [], guarded: [] };
    await using manager = new PluginManager();
    const plain = await manager.open(file);
    const add = plain.lookup<Add>("add");
    using lease = manager.acquire("adder");
    const handle = manager.use<{ add: Add }>("adder");
    const awaited = async (a: number, b: number): Promise<number> => await add(a, b);
    for (let round = 0; round < ROUNDS; round++) {
      times.direct.push(await perCall(awaited));
      times.call.push(await perCall((a, b) => plain.call<number>("add", a, b)));
      times.lease.push(await perCall((a, b) => lease.call<number>("add", a, b)));
      times.handle.push(await perCall((a, b) => handle.add(a, b)));
    }
    await using guarding = new PluginManager({ guards: true });
    const guarded = await guarding.open(file);
    for (let round = 0; round < ROUNDS; round++) {
      times.guarded.push(await perCall((a, b) => guarded.call<number>("add", a, b)));
    }
    return report(times);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function perCall(fn: (a: number, b: number) => Promise<number>): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < CALLS; i++) await fn(i, 1);
  return (performance.now() - began) / CALLS * 1e6;
}

function report({ direct, call, lease, handle, guarded }: Times): string[] {
  const floor = quantile(direct, 0.5);
  const row = (label: string, samples: readonly number[]): string[] => {
    const p50 = quantile(samples, 0.5);
    const [added, ratio] = [p50 - floor, p50 / floor];
    return [label, `${p50.toFixed(0)} ns`, `+${added.toFixed(0)} ns`, `${ratio.toFixed(2)}x`];
  };
  return [
    `call: ${CALLS} calls a round, ${ROUNDS} rounds, p50 a call`,
    ...table([
      ["", "time", "added", "ratio"],
      row("the export, awaited", direct),
      row("generation.call", call),
      row("lease.call", lease),
      row("handle.add", handle),
      row("generation.call, guards on", guarded),
    ]),
    "",
  ];
}
