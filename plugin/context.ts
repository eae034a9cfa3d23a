import type { Scn } from "../artifact/mod.ts";

/**
 * What a plugin's `activate` hook is given.
 *
 * A plugin needs hotplug only for this type, so the import leaves nothing in the artifact.
 *
 * @example
 * ```ts
 * import type { PluginContext } from "@hotplug/hotplug";
 *
 * let currency = "EUR";
 *
 * export function activate(context: PluginContext<{ currency?: string }>): void {
 *   currency = context.config?.currency ?? currency;
 *   const timer = setInterval(() => refresh(), 60_000);
 *   context.signal.addEventListener("abort", () => clearInterval(timer));
 * }
 *
 * function refresh(): void {}
 * ```
 */
export interface PluginContext<Config = unknown> {
  /** The plugin's name. */
  readonly name: string;
  /** The generation's sequence change number. */
  readonly scn: Scn;
  /** Aborted when the generation is given up: its activation failed, or its manager closes. */
  readonly signal: AbortSignal;
  /** What the host has set for this plugin; undefined if nothing. */
  readonly config: Config | undefined;
}
