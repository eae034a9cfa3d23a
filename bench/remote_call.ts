import { join } from "@std/path";
import { PluginManager, type Tier } from "../manager/mod.ts";
import { birpcProcess, birpcWorker, type Echo, echoProcess, echoWorker } from "./_echo.ts";
import { quantile, table } from "./_stats.ts";

/** What is sent, in how many rounds, and how often in each. */
const VALUES: Readonly<Record<string, Load>> = {
  "small": { value: { item: "book", net: 100 }, rounds: 300, calls: 30 },
  "1 MB of text": { value: "hotplug ".repeat(128 * 1024), rounds: 60, calls: 3 },
  "1 MB of bytes": { value: new Uint8Array(1024 * 1024), rounds: 60, calls: 3 },
};

interface Load {
  readonly value: unknown;
  readonly rounds: number;
  readonly calls: number;
}

/**
 * A round trip to a process and a worker beside a bare echo over the same channel and encoding, and
 * beside birpc by itself over these. The rounds are short, and each begins with another one: what else
 * the machine does befalls them all.
 */
export async function benchRemoteCall(): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "hotplug-bench-" });
  const file = join(folder, "echo_20261123014512_2_9_5_any_any.mjs");
  await Deno.writeTextFile(file, "export const echo = (value) => value;");
  try {
    return [
      "remote call: short rounds in turn, p50 a round trip",
      ...table([
        ["", "bare echo", "birpc", "call", "birpc to echo", "call to echo", "call to birpc"],
        ...await measure("process", file, echoProcess, birpcProcess),
        ...await measure("worker", file, echoWorker, birpcWorker),
      ]),
      "",
    ];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function measure(
  tier: Tier,
  file: string,
  startEcho: () => Echo,
  startBirpc: () => Echo,
): Promise<string[][]> {
  await using echo = startEcho();
  await using birpc = startBirpc();
  await using manager = new PluginManager({ tier });
  const plugin = await manager.open(file);
  const rows: string[][] = [];
  for (const [label, { value, rounds, calls }] of Object.entries(VALUES)) {
    const [floor, peer, own] = await inTurn(rounds, calls, [
      () => echo.send(value),
      () => birpc.send(value),
      () => plugin.call("echo", value),
    ]) as [number, number, number];
    const ratio = (a: number, b: number): string => `${(a / b).toFixed(2)}x`;
    rows.push([
      `${tier}, ${label}`,
      ...[floor, peer, own].map((each) => `${each.toFixed(0)} µs`),
      ratio(peer, floor),
      ratio(own, floor),
      ratio(own, peer),
    ]);
  }
  return rows;
}

/** The p50 of each, in µs a call. */
async function inTurn(
  rounds: number,
  calls: number,
  fns: readonly (() => Promise<unknown>)[],
): Promise<number[]> {
  const times: number[][] = fns.map(() => []);
  const warmUp = Math.ceil(rounds / 6);
  for (let round = 0; round < warmUp + rounds; round++) {
    for (let turn = 0; turn < fns.length; turn++) {
      const at = (turn + round) % fns.length;
      const took = await perCall(calls, fns[at] as () => Promise<unknown>);
      if (round >= warmUp) times[at]?.push(took);
    }
  }
  return times.map((each) => quantile(each, 0.5));
}

async function perCall(calls: number, fn: () => Promise<unknown>): Promise<number> {
  // The first one finds the caches as another has left them.
  await fn();
  const began = performance.now();
  for (let i = 0; i < calls; i++) await fn();
  return (performance.now() - began) / calls * 1e3;
}
