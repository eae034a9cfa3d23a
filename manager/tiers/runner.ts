import type { HotplugError } from "../../artifact/mod.ts";
import type { Connection, LogRecord } from "../../plugin/mod.ts";

/** A process or worker that runs one plugin and can be called. */
export interface Runner {
  /** The calls to it. */
  readonly connection: Connection;
  /** Resolves once it is gone, with why; calls in flight have been rejected by then. */
  readonly ended: Promise<HotplugError>;
  /** The memory that it holds, in bytes; undefined where that can't be told. */
  memory(): number | undefined;
  /**
   * Ends it at once; calls in flight reject with the reason. A second time does nothing. A worker counts as
   * lost where it has crashed, or is told to be.
   */
  kill(reason: HotplugError, isLost?: boolean): void;
}

/** Told of what a runner does besides answering. */
export interface RunnerEvents {
  /** It has logged or printed something. */
  log(record: LogRecord): void;
  /** It has logged so much that some was dropped: so many characters more. */
  flooded(characters: number): void;
  /** Nobody caught what it threw. */
  late(what: string, error: unknown): void;
}

/** Starts one; the signal gives it up. */
export type StartRunner = (events: RunnerEvents, signal: AbortSignal) => Promise<Runner>;
