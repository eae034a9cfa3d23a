// deno-lint-ignore-file no-console -- what it prints is its answer
/**
 * A daemon with a state folder; prints each version once it has answered a call.
 *
 * Arguments: the directory, the state folder, and the options as JSON.
 *
 * @module
 */

import { PluginDaemon } from "../daemon/mod.ts";

const [directory = "", state = "", options = "{}"] = Deno.args;
const daemon = new PluginDaemon({ watch: [directory], state, ...JSON.parse(options) });
daemon.subscribe((event) => {
  if (event.type === "loaded") void answer(event.scn);
  if (event.type === "failed") console.error(event.message);
});
await daemon.start();
console.log("ready");

async function answer(scn: number): Promise<void> {
  using lease = daemon.manager.acquire("pricing");
  await lease.call("quote", { price: "19.99", quantity: 3 });
  console.log(`answered ${scn}`);
}
