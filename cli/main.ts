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
  // Kept from here on: a plugin may put something else in their place.
  const exit = Deno.exit;
  const listen = globalThis.addEventListener.bind(globalThis);
  const leave = (code: number): never => {
    // The last that listens: what a plugin sets then is no outcome of this process.
    listen("unload", () => void (Deno.exitCode = code));
    return exit(code);
  };
  const ending = new AbortController();
  const end = (): void => {
    // Asked a second time: whatever is still to be closed, now.
    if (ending.signal.aborted) leave(1);
    ending.abort();
  };
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, end);
  const code = await main(Deno.args, processIo(ending));
  // What a plugin that is gone by now throws at the end of the process is no failure of that.
  listen("error", (event) => event.preventDefault());
  leave(code);
}
