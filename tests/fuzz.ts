// deno-lint-ignore-file no-console -- what came of it must be seen
/**
 * Sends a daemon's control so many requests as told, 20 000 by default, that may be anything:
 * `deno task fuzz [COUNT]`. A failing seed is printed; HOTPLUG_TEST_SEED makes the same again.
 *
 * @module
 */

import { fuzzControl } from "./_fuzz_control.ts";
import { makeRandom } from "./random.ts";

const requests = Number(Deno.args[0] ?? 20_000);
const { seed } = makeRandom();
const began = performance.now();
const { statuses, faults } = await fuzzControl({ seed, requests });
const seconds = ((performance.now() - began) / 1_000).toFixed(1);
console.log(`${requests} requests in ${seconds} s, HOTPLUG_TEST_SEED=${seed}`);
console.log(statuses);
for (const fault of faults) console.log(fault);
if (faults.length > 0) Deno.exit(1);
