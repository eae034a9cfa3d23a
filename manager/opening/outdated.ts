import { HotplugError, type Scn } from "../../artifact/mod.ts";
import type { Generation } from "../generations/generation.ts";

/**
 * Thrown when an artifact is not newer than what is loaded, or lies below the initial SCN.
 *
 * Most callers take it as good news: what they have is as new as the file.
 *
 * The idea is viant/pgo's `IsPluginOutdated`.
 */
export class PluginOutdatedError extends HotplugError {
  /** The class's name. */
  override name = "PluginOutdatedError";
  /** The artifact's sequence change number. */
  readonly scn: Scn;
  /** The generation that stays, or undefined where nothing is loaded and the initial SCN decided. */
  readonly current: Generation | undefined;

  /** Makes the error; `current` is the generation that stays. */
  constructor(message: string, scn: Scn, current: Generation | undefined, options?: ErrorOptions) {
    super("outdated", message, options);
    this.scn = scn;
    this.current = current;
  }
}

/**
 * Tells whether the error says that a plugin need not be loaded.
 *
 * @example
 * ```ts
 * import { isPluginOutdated, PluginManager } from "@hotplug/hotplug/manager";
 * import { assert } from "@std/assert";
 *
 * await using manager = new PluginManager({ initialScn: 20270101000000 });
 * try {
 *   await manager.open("plugins/pricing_20261123014512_2_9_5_any_any.mjs");
 * } catch (error) {
 *   assert(isPluginOutdated(error));
 * }
 * ```
 */
export function isPluginOutdated(error: unknown): error is PluginOutdatedError {
  // By code, not by class: the error may come from another copy of this package.
  return error instanceof Error && (error as { code?: unknown }).code === "outdated";
}
