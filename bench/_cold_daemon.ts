// deno-lint-ignore-file no-console -- what it prints is its answer
/**
 * A daemon's start, from the first line of the program to the event that it is ready.
 *
 * @module
 */

import { PluginDaemon } from "../daemon/mod.ts";

const entered = performance.now();
const [directory = "", state = ""] = Deno.args;
const daemon = new PluginDaemon({ watch: [directory], state });
await daemon.start();
console.log(`ready ${daemon.manager.names().length} ${entered} ${performance.now()}`);
await daemon.close();
