import type { AcquireOptions, Lease, PluginStatus } from "../../manager/mod.ts";
import type { DaemonEvent } from "../events.ts";
import type { PluginDaemon } from "../plugin_daemon.ts";

/** What a control acts upon: of a daemon, as much as it needs. */
export interface ControlTarget extends
  Pick<
    PluginDaemon,
    | "status"
    | "scan"
    | "rollback"
    | "approve"
    | "freeze"
    | "thaw"
    | "release"
    | "quarantine"
    | "releaseQuarantine"
    | "setLogLevel"
    | "knows"
  > {
  /** What is logged. */
  readonly logLevel: PluginDaemon["logLevel"];
  /** What has the plugins loaded. */
  readonly manager: {
    /** Takes a lease on the current generation. */
    acquire(name: string, options?: AcquireOptions): Pick<Lease, "call" | "scn"> & Disposable;
    /** How one plugin stands. */
    statusOf(name: string): PluginStatus | undefined;
  };
  /** Calls the listener for each event from now on, until disposed of. */
  subscribe(listener: (event: DaemonEvent) => void): Disposable;
}
