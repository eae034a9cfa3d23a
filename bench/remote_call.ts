import { join } from "@std/path";
import { PluginManager, type Tier } from "../manager/mod.ts";
import { type Echo, echoProcess, echoWorker } from "./_echo.ts";
import { quantile, table } from "./_stats.ts";

const ROUNDS = 20;

/** What is sent, and how often in a round. */
const VALUES: Readonly<Record<string, { readonly value: unknown; readonly calls: number }>> = {
  "small": { value: { item: "book", net: 100 }, calls: 500 },
  "1 MB of text": { value: "hotplug ".repeat(128 * 1024), calls: 10 },
  "1 MB of bytes": { value: new Uint8Array(1024 * 1024), calls: 10 },
};

/** A round trip to a process and a worker beside a bare echo over the same channel and encoding. */
export async function benchRemoteCall(): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "hotplug-bench-" });
  const file = join(folder, "echo_20261123014512_2_9_5_any_any.mjs");
  await Deno.writeTextFile(file, "export const echo = (value) => value;");
  try {
    return [
      `remote call: ${ROUNDS} rounds in turn, p50 a round trip`,
      ...table([
        ["", "bare echo", "call", "ratio"],
        ...await measure("process", file, echoProcess),
        ...await measure("worker", file, echoWorker),
      ]),
      "",
    ];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function measure(tier: Tier, file: string, start: () => Echo): Promise<string[][]> {
  await using echo = start();
  await using manager = new PluginManager({ tier });
  const plugin = await manager.open(file);
  const rows: string[][] = [];
  for (const [label, { value, calls }] of Object.entries(VALUES)) {
    const bare: number[] = [];
    const call: number[] = [];
    for (let round = -3; round < ROUNDS; round++) {
      const floor = await perCall(calls, () => echo.send(value));
      const own = await perCall(calls, () => plugin.call("echo", value));
      if (round < 0) continue;
      bare.push(floor);
      call.push(own);
    }
    const [floor, own] = [quantile(bare, 0.5), quantile(call, 0.5)];
    const ratio = `${(own / floor).toFixed(2)}x`;
    rows.push([`${tier}, ${label}`, `${floor.toFixed(0)} µs`, `${own.toFixed(0)} µs`, ratio]);
  }
  return rows;
}

async function perCall(calls: number, fn: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < calls; i++) await fn();
  return (performance.now() - began) / calls * 1e3;
}
