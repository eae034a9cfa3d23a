import type { ErrorCode, Scn } from "../artifact/mod.ts";
import type { ManagerEvent } from "../manager/mod.ts";

/** The daemon has looked at all its directories once, and opened what was there. */
export interface ReadyEvent {
  /** Tells the kinds apart. */
  readonly type: "ready";
  /** When, as an ISO 8601 time. */
  readonly time: string;
  /** The directories that are watched. */
  readonly watch: readonly string[];
  /** The names of the plugins that are loaded. */
  readonly plugins: readonly string[];
  /** From the start to now, in milliseconds. */
  readonly durationMs: number;
}

/** How the watching of a directory stands; told when it changes. */
export interface WatchEvent {
  /** Tells the kinds apart. */
  readonly type: "watch";
  /** When, as an ISO 8601 time. */
  readonly time: string;
  /** The directory. */
  readonly directory: string;
  /**
   * - `watching`: changes are seen at once
   * - `missing`: there is no such directory; it is waited for
   * - `error`: changes are seen by the timer only
   */
  readonly state: "watching" | "missing" | "error";
  /** What is the matter; only with `error`. */
  readonly message?: string;
}

/** What failed for a passing reason is tried no more; the end to its one `failed` event. */
export interface RetriedEvent {
  /** Tells the kinds apart. */
  readonly type: "retried";
  /** When, as an ISO 8601 time. */
  readonly time: string;
  /** The plugin's name. */
  readonly name: string;
  /** The artifact's sequence change number. */
  readonly scn: Scn;
  /** The artifact. */
  readonly path: string;
  /** How often it was tried in all. */
  readonly attempts: number;
  /** Whether it loaded in the end, was replaced or removed, or turned out to fail for good. */
  readonly outcome: "loaded" | "superseded" | "removed" | "failed";
  /** The code of its last failure. */
  readonly code: ErrorCode;
}

/** The daemon has stopped; the last event. */
export interface StoppedEvent {
  /** Tells the kinds apart. */
  readonly type: "stopped";
  /** When, as an ISO 8601 time. */
  readonly time: string;
}

/** What a daemon tells: all that its manager tells, and what it does itself. */
export type DaemonEvent = ManagerEvent | ReadyEvent | WatchEvent | RetriedEvent | StoppedEvent;
