import { assert } from "@std/assert";
import { bundleHost, HOST_TEXT_FILE } from "../scripts/bundle_host.ts";

Deno.test("the text that runs in processes and workers is what its sources make", async () => {
  const fresh = await bundleHost();
  const kept = await Deno.readTextFile(HOST_TEXT_FILE);
  assert(fresh === kept, "plugin/_host_text.ts is stale: run `deno run -A scripts/bundle_host.ts`");
});
