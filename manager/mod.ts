/**
 * The manager: artifact → generation. It verifies, loads, activates and swaps, and keeps every
 * generation in memory.
 *
 * @example
 * ```ts
 * import { isPluginOutdated, PluginManager } from "@hotplug/hotplug/manager";
 * import { assert } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * const file = `${directory}/greeter_20250123014512_2_9_5_any_any.mjs`;
 * await Deno.writeTextFile(file, "export const greet = (name) => `Hello, ${name}!`;");
 *
 * await using manager = new PluginManager();
 * await manager.open(file);
 * {
 *   using greeter = manager.acquire("greeter");
 *   assert(await greeter.call("greet", "Ada") === "Hello, Ada!");
 * }
 * try {
 *   await manager.open(file);
 * } catch (error) {
 *   assert(isPluginOutdated(error)); // the same file again: nothing to do
 * }
 *
 * await Deno.remove(directory, { recursive: true });
 * ```
 *
 * @module
 */

export { choose } from "./opening/choose.ts";
export type { Candidate, Choice, ChoosePolicy, Listing, Skip } from "./opening/choose.ts";
export type { Refusal } from "./opening/admit.ts";
export type { ApproveOptions, PendingVersion, WhichVersion } from "./opening/pending_version.ts";
export { isFinal } from "./events.ts";
export type {
  ConflictEvent,
  FailedEvent,
  HoldEvent,
  LoadedEvent,
  ManagerEvent,
  NoteEvent,
  ParkedEvent,
  RefusalEvent,
  RetiredEvent,
  RolledBackEvent,
  SkippedEvent,
} from "./events.ts";
export type { Generation, GenerationState } from "./generations/generation.ts";
export type { Holder } from "./generations/hold_book.ts";
export type { AcquireOptions, Lease } from "./generations/lease.ts";
export type { OpenOptions, VerifiedFiles } from "./settings/open_options.ts";
export { isRetryable } from "./opening/is_retryable.ts";
export { isPluginOutdated, PluginOutdatedError } from "./opening/outdated.ts";
export type { FetchInfo } from "../plugin/mod.ts";
export type { CallOptions, HandleResult, PluginHandle } from "./generations/plugin_handle.ts";
export { PluginManager } from "./plugin_manager.ts";
export type {
  CurrentBefore,
  GenerationHolder,
  RestoredHolds,
} from "./generations/plugin_registry.ts";
export type {
  ChooseTier,
  Loader,
  OwnPluginSettings,
  PluginSettings,
  SettingsSource,
  Tier,
} from "./settings/plugin_settings.ts";
export type { Probation } from "./settings/probation.ts";
export type { Retention } from "./settings/retention.ts";
export type { RollbackOptions } from "./generations/rollback.ts";
export type { TakeBack } from "./upkeep.ts";
export type { GenerationStatus, PluginStatus } from "./generations/status.ts";
export type { TierOptions, TierSettings } from "./settings/tier_settings.ts";
export type { Entry } from "./artifacts/read_entry.ts";
export type { ApprovalRule } from "./settings/trust.ts";
export { verifyArtifact } from "./artifacts/verify_artifact.ts";
export type { VerifiedArtifact } from "./artifacts/verify_artifact.ts";
export { resolveManagerOptions } from "./settings/options.ts";
export type { ManagerOptions, ResolvedManagerOptions } from "./settings/options.ts";
