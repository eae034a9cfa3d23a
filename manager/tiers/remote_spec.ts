import type { HotplugError } from "../../artifact/mod.ts";
import type { Tier } from "../settings/plugin_settings.ts";
import type { RunnerEvents, StartRunner } from "./runner.ts";

/** What a remote instance is made of. */
export interface RemoteSpec {
  /** Where it runs. */
  readonly tier: Exclude<Tier, "inline">;
  /** What it is, for messages: `plugin "pricing" (SCN 20261123014512)`. */
  readonly label: string;
  /** Starts the process or worker: the first one, and after a crash the next. */
  readonly start: StartRunner;
  /** The URL of the module; undefined for an executable. */
  readonly url: string | undefined;
  /** How long start and top level may take, in milliseconds. */
  readonly startDeadline: number;
  /** How long `activate` may take when it is started again, in milliseconds. */
  readonly activateDeadline: number;
  /** How long a ping may take after a call's deadline, in milliseconds. */
  readonly pingDeadline: number;
  /** The size of the content, in bytes: what it holds at least. */
  readonly size: number;
  /** Whether it may be started again after a crash; asked each time. */
  readonly mayRestart?: () => boolean;
  /** Gives up what is under way. */
  readonly closing: AbortSignal;
  /** Told of what happens besides calls. */
  readonly events: RemoteEvents;
}

/** Told of what a remote instance does besides answering. */
export interface RemoteEvents extends RunnerEvents {
  /** Its process or worker has ended. */
  crashed(error: HotplugError): void;
  /** It runs again. */
  restarted(): void;
}
