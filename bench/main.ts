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
import { benchMemory } from "./memory.ts";
import { benchRemoteCall } from "./remote_call.ts";
import { benchSwap } from "./swap.ts";

for (const bench of [benchSwap, benchCall, benchRemoteCall, benchBuild, benchMemory]) {
  for (const line of await bench()) console.log(line);
}
