// deno-lint-ignore-file no-console -- what it prints is its output
/**
 * Measures hotplug against a floor in the same run; run by `deno task bench`.
 *
 * Figures are ratios: absolute times are those of the machine that it ran on.
 *
 * @module
 */

import { benchBuild } from "./build.ts";
import { benchCall } from "./call.ts";
import { benchColdStart } from "./cold_start.ts";
import { benchGateway } from "./gateway.ts";
import { benchMemory } from "./memory.ts";
import { benchMonths } from "./months.ts";
import { benchRemoteCall } from "./remote_call.ts";
import { benchSwap } from "./swap.ts";

const BENCHES = {
  swap: benchSwap,
  coldStart: benchColdStart,
  call: benchCall,
  remoteCall: benchRemoteCall,
  gateway: benchGateway,
  build: benchBuild,
  memory: benchMemory,
  months: benchMonths,
};

// All of them, or those that are named.
for (const [name, bench] of Object.entries(BENCHES)) {
  if (Deno.args.length > 0 && !Deno.args.includes(name)) continue;
  for (const line of await bench()) console.log(line);
}
