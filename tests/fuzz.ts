// deno-lint-ignore-file no-console -- what came of it must be seen
/**
 * Sends a daemon's control, and its gateway, so many requests each as told, 20 000 by default, that may be
 * anything: `deno task fuzz [COUNT]`. A failing seed is printed; HOTPLUG_TEST_SEED makes the same again.
 *
 * @module
 */

import { fuzzControl } from "./_fuzz_control.ts";
import { fuzzGateway } from "./_fuzz_gateway.ts";
import { makeRandom } from "./random.ts";

const requests = Number(Deno.args[0] ?? 20_000);
const { seed } = makeRandom();
let failed = false;
for (const [name, fuzz] of Object.entries({ control: fuzzControl, gateway: fuzzGateway })) {
  const began = performance.now();
  const { statuses, faults } = await fuzz({ seed, requests });
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.log(`${name}: ${requests} requests in ${seconds} s, HOTPLUG_TEST_SEED=${seed}`);
  console.log(statuses);
  for (const fault of faults) console.log(fault);
  failed ||= faults.length > 0;
}
if (failed) Deno.exit(1);
