/**
 * Runs the `hotplug` command.
 *
 * @module
 */

import { processIo } from "./io.ts";
import { main } from "./program.ts";

if (import.meta.main) {
  const ending = new AbortController();
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM"];
  const end = (): void => {
    // The second signal finds no listener, and ends the process at once.
    for (const signal of signals) Deno.removeSignalListener(signal, end);
    ending.abort();
  };
  for (const signal of signals) Deno.addSignalListener(signal, end);
  Deno.exit(await main(Deno.args, processIo(ending.signal)));
}
