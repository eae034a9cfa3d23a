/**
 * Told what a build does, in words for people: `console` is one, and so are most loggers.
 *
 * @example
 * ```ts
 * import { build, type BuildLogger } from "@hotplug/hotplug/builder";
 * import { assert } from "@std/assert";
 *
 * const lines: string[] = [];
 * const logger: BuildLogger = {
 *   debug: () => {},
 *   info: (message) => void lines.push(message),
 *   warn: (message) => void lines.push(message),
 * };
 * const folder = await Deno.makeTempDir();
 * try {
 *   await Deno.writeTextFile(`${folder}/tax.ts`, "export const rate = () => 0.2;");
 *   await build({ source: `${folder}/tax.ts`, dest: folder, logger });
 *   assert(lines.some((line) => line.startsWith("bundled ")));
 * } finally {
 *   await Deno.remove(folder, { recursive: true });
 * }
 * ```
 */
export interface BuildLogger {
  /** Each program that is started, and how it ended. */
  debug(message: string): void;
  /** The end of each step. */
  info(message: string): void;
  /** What does not stop the build, and may not be as it was meant. */
  warn(message: string): void;
}
