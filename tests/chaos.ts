// deno-lint-ignore-file no-console -- what it prints is its output
/**
 * The long run of chaos: `deno task chaos [SEEDS] [SECONDS] [FIRST_SEED]`, 10 seeds of 60 seconds each
 * by default. What fails is printed with its seed.
 *
 * @module
 */

import { runChaos } from "./_chaos.ts";

const [count = 10, seconds = 60, first = Date.now() >>> 0] = Deno.args.map(Number);
let failed = 0;
for (let index = 0; index < count; index++) {
  const report = await runChaos({ seed: (first + index) >>> 0, milliseconds: seconds * 1_000 });
  console.log(JSON.stringify(report));
  if (report.faults.length > 0) failed++;
}
console.log(`${count} seeds, ${failed} with divergences`);
Deno.exit(failed > 0 ? 1 : 0);
