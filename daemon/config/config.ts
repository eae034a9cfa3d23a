import type { OwnPluginSettings, PluginSettings, Tier } from "../../manager/mod.ts";
import type { DaemonOptions } from "../options.ts";

/** The settings of plugins, as a file can say them. */
export interface ConfigSettings extends Omit<PluginSettings, "tier"> {
  /** Where generations run. */
  readonly tier?: Tier;
}

/** The settings of one plugin, as a file can say them. */
export interface ConfigPlugin
  extends ConfigSettings, Omit<OwnPluginSettings, keyof PluginSettings | "trust"> {
  /** Files with the public keys that are trusted for this plugin. */
  readonly trust?: readonly string[];
}

/** How much memory the process may have. */
export interface ConfigMemory {
  /** Past this RSS nothing more is loaded, in bytes. */
  readonly soft?: number;
  /** Past this RSS the process is to end, in bytes. */
  readonly hard?: number;
  /** Whether it drains and exits with 75 then. */
  readonly exit?: boolean;
}

/** The options of a daemon that a file says as they are. */
export type ConfigOption =
  | "recursive"
  | "poll"
  | "scanInterval"
  | "rootCheck"
  | "retryMin"
  | "retryMax"
  | "state"
  | "initialScn"
  | "runtimeRule"
  | "requireInfo"
  | "bareSettle"
  | "executables"
  | "workerPermissions"
  | "deno"
  | "loadDeadline"
  | "activateDeadline"
  | "maxSize"
  | "futureTolerance"
  | "approve"
  | "logLevel";

/** What a configuration file says. Paths are relative to its folder. */
export interface Config extends Pick<DaemonOptions, ConfigOption> {
  /** Where the schema is. */
  readonly $schema?: string;
  /** The directories to watch. */
  readonly watch?: readonly string[];
  /** Files with the public keys that are trusted. */
  readonly trust?: readonly string[];
  /** How it is logged. */
  readonly log?: "pretty" | "json";
  /** How long a stop waits for calls under way, in milliseconds. */
  readonly stopDeadline?: number;
  /** Where plugins are served by http, as `[HOST:]PORT`. */
  readonly gateway?: string;
  /** How much memory the process may have. */
  readonly memory?: ConfigMemory;
  /** Settings of all plugins. */
  readonly defaults?: ConfigSettings;
  /** Settings of single plugins, by name. */
  readonly plugins?: Readonly<Record<string, ConfigPlugin>>;
}
