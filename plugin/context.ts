import type { Scn } from "../artifact/mod.ts";
import type { PluginLogger } from "./logger.ts";

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
 * let sold = 0;
 *
 * export function activate(context: PluginContext<{ currency?: string }, { sold: number }>): void {
 *   currency = context.config?.currency ?? currency;
 *   sold = context.state?.sold ?? 0; // what the generation before handed over
 *   const timer = setInterval(() => refresh(), 60_000);
 *   context.signal.addEventListener("abort", () => clearInterval(timer));
 * }
 *
 * export function handover(): { sold: number } {
 *   return { sold };
 * }
 *
 * function refresh(): void {}
 * ```
 */
export interface PluginContext<Config = unknown, State = unknown> {
  /** The plugin's name. */
  readonly name: string;
  /** The generation's sequence change number. */
  readonly scn: Scn;
  /** Whether it is newly loaded, or was loaded before and is taken back into use. */
  readonly reason: "load" | "rollback";
  /**
   * Writes to the host's log, by LogTape, in the category `hotplug`, `plugin`, the plugin's name.
   * Without a configuration of LogTape in the host it writes nowhere.
   */
  readonly logger: PluginLogger;
  /** Aborted when the generation is deactivated: superseded and drained, given up, or closed. */
  readonly signal: AbortSignal;
  /** What the host has set for this plugin; undefined if nothing. */
  readonly config: Config | undefined;
  /**
   * A copy of what the generation before has answered its `handover` with; undefined if there is
   * none, or it has no such hook.
   *
   * It is a snapshot: calls of the generation before may go on, and change what was handed over,
   * unless it exports `quiesce`, during and after which calls of the current generation wait.
   */
  readonly state: State | undefined;
}
