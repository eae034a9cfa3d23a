import { assert, assertEquals } from "@std/assert";
import { fuzzGateway } from "./_fuzz_gateway.ts";
import { makeRandom } from "./random.ts";

Deno.test("whatever is sent to a gateway, it does not crash, tell a plugin's errors, or touch a file", async () => {
  const { seed } = makeRandom();
  const { statuses, faults } = await fuzzGateway({ seed, requests: 3_000 });
  assertEquals(faults, [], `HOTPLUG_TEST_SEED=${seed}`);
  // Else it would be noise alone that was tried.
  for (const status of [200, 400, 404, 502]) assert((statuses[status] ?? 0) > 10);
});
