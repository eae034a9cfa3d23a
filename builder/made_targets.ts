import type { PluginFacts } from "./build_plugin.ts";
import type { BuiltTarget } from "./build_targets.ts";
import type { TargetFailure } from "./target_failure.ts";

/** All that a build makes before anything of it is published. */
export interface MadeTargets {
  /** What is known of the plugin. */
  readonly plugin: PluginFacts;
  /** The targets that were built, at least one. */
  readonly built: readonly BuiltTarget[];
  /** The targets that were not. */
  readonly failures: readonly TargetFailure[];
}
