/**
 * The daemon: directories → manager. It watches, and swaps new versions in while the process runs.
 *
 * @example
 * ```ts
 * import { PluginDaemon } from "@hotplug/hotplug/daemon";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * await using daemon = new PluginDaemon({ watch: [directory] });
 * await daemon.start();
 * assertEquals(daemon.manager.names(), []);
 * await Deno.remove(directory, { recursive: true });
 * ```
 *
 * @module
 */

export type {
  ConfigEvent,
  DaemonEvent,
  DeletedEvent,
  MemoryEvent,
  QuarantineEvent,
  ReadyEvent,
  RetriedEvent,
  StateEvent,
  StoppedEvent,
  WatchEvent,
} from "./events.ts";
export { ControlServer } from "./control/control_server.ts";
export type { ControlOptions } from "./control/control_options.ts";
export type { ControlPlace } from "./control/control_place.ts";
export type { ControlTarget } from "./control/control_target.ts";
export { checkDaemon } from "./check_daemon.ts";
export type { CheckedPlugin, CheckRefusal } from "./check_plugin.ts";
export type { CheckedFolder, CheckedState, DaemonCheck } from "./check_daemon.ts";
export { Gateway } from "./gateway/gateway.ts";
export type { GatewayOptions } from "./gateway/gateway.ts";
export type { GatewayCount } from "./gateway/gateway_counts.ts";
export type { GatewayTarget } from "./gateway/gateway_handler.ts";
export { defaultStateFolder } from "./state/default_state_folder.ts";
export { parseConfig, readConfig } from "./config/read_config.ts";
export type { DaemonConfig } from "./config/read_config.ts";
export type {
  Config,
  ConfigMemory,
  ConfigOption,
  ConfigPlugin,
  ConfigSettings,
} from "./config/config.ts";
export type { DaemonOptions, ReloadedOptions } from "./options.ts";
export { PluginDaemon } from "./plugin_daemon.ts";
export type {
  DaemonStatus,
  FailingVersion,
  MemoryStatus,
  MisnamedFile,
  QuarantinedVersion,
  ScanStatus,
  SkippedVersion,
  WatchStatus,
} from "./status.ts";
export { LOG_LEVELS } from "./log_level.ts";
export type { LogLevel } from "./log_level.ts";
