import { assert, assertEquals } from "@std/assert";
import { fuzzControl } from "./_fuzz_control.ts";
import { makeRandom } from "./random.ts";

Deno.test({
  name:
    "whatever is sent to a control, it does not crash, let in who has no token, or touch a file",
  ignore: Deno.build.os === "windows",
  async fn() {
    const { seed } = makeRandom();
    const { statuses, faults } = await fuzzControl({ seed, requests: 3_000 });
    assertEquals(faults, [], `HOTPLUG_TEST_SEED=${seed}`);
    // Else it would be noise alone that was tried.
    for (const status of [200, 400, 401, 404, 405]) assert((statuses[status] ?? 0) > 10);
  },
});
