// deno-lint-ignore-file no-console -- what is left out, and the seed, must be seen
import { assert, assertEquals } from "@std/assert";
import { runChaos } from "./_chaos.ts";
import { makeRandom } from "./random.ts";

Deno.test({
  name: "whatever befalls a daemon, it serves the newest good artifact of each plugin",
  ignore: Deno.build.os === "windows",
  async fn() {
    const { seed } = makeRandom();
    const report = await runChaos({ seed, milliseconds: 15_000 });
    for (const each of report.skipped) console.log(`skipped: ${each}`);
    assertEquals(report.faults, [], `HOTPLUG_TEST_SEED=${seed}`);
    assert(report.judged > 0 && report.calls > 0, Deno.inspect(report));
  },
});
