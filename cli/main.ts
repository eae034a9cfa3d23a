/**
 * The `hotplug` command: as a program, and as a function from arguments to an exit code.
 *
 * @example
 * ```ts
 * import { main } from "@hotplug/hotplug/cli";
 * import { assertEquals, assertStringIncludes } from "@std/assert";
 *
 * let text = "";
 * const print = (more: string): void => void (text += more);
 * const code = await main(["--help"], { stdout: print, stderr: print, isTerminal: false });
 * assertEquals(code, 0);
 * assertStringIncludes(text, "hotplug build");
 * ```
 *
 * @module
 */

import { processIo } from "./io.ts";
import { main } from "./program.ts";

export type { Io } from "./io.ts";
export { main } from "./program.ts";

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
