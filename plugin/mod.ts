/**
 * The plugin's own side: what its author sees.
 *
 * @example
 * ```ts
 * import type { PluginContext } from "@hotplug/hotplug";
 *
 * export function activate(context: PluginContext): void {
 *   context.signal.addEventListener("abort", () => {});
 * }
 * ```
 *
 * @module
 */

export type { PluginContext } from "./context.ts";
export type { LogMethod, PluginLogger } from "./logger.ts";
export { EXECUTABLE_ENTRY, executableEntry } from "./executable_entry.ts";
