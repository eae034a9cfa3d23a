/**
 * The `hotplug` command as a function: arguments in, exit code out.
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

export type { Io } from "./io.ts";
export { main } from "./program.ts";
