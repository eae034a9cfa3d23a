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
   * - `polling`: nothing tells of changes, or not of all; it is listed now and then
   * - `missing`: there is no such directory; it is waited for
   * - `error`: changes are seen by the timer only
   */
  readonly state: "watching" | "polling" | "missing" | "error";
  /** What is the matter; only with `error` and `polling`. */
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
  /** Whether it loaded in the end, was replaced, removed or kept out, or turned out to fail for good. */
  readonly outcome: "loaded" | "superseded" | "removed" | "held" | "failed";
  /** The code of its last failure. */
  readonly code: ErrorCode;
}

/** The artifact of what is current is gone; that unloads nothing. */
export interface DeletedEvent {
  /** Tells the kinds apart. */
  readonly type: "deleted";
  /** When, as an ISO 8601 time. */
  readonly time: string;
  /** The plugin's name. */
  readonly name: string;
  /** The sequence change number of what is current. */
  readonly scn: Scn;
  /** Where its artifact was. */
  readonly path: string;
}

/** What outlives the process, or does not; told when that changes. */
export interface StateEvent {
  /** Tells the kinds apart. */
  readonly type: "state";
  /** When, as an ISO 8601 time. */
  readonly time: string;
  /**
   * - `taken-over`: the daemon before this one ended without closing
   * - `lost`: there is no state, or what there was is of no use; the initial SCN and the folders decide
   * - `not-reopened`: what was current of a plugin could not be reopened
   * - `unwritable`: changes can't be written down; they are lost if the process ends now
   * - `writable`: all is written down again
   * - `unkept`: the bytes of what is current, or was before, are gone from the state folder, and can't be
   *   had from where they were found
   */
  readonly state:
    | "taken-over"
    | "lost"
    | "not-reopened"
    | "unwritable"
    | "writable"
    | "unkept";
  /** What is the matter, and the remedy. */
  readonly message: string;
  /** The plugin's name, where it is about one. */
  readonly name?: string;
}

/** A version ended the process twice while it was loading, and is kept out; or it is let in again. */
export interface QuarantineEvent {
  /** Tells the kinds apart. */
  readonly type: "suspected" | "quarantined" | "unquarantined";
  /** When, as an ISO 8601 time. */
  readonly time: string;
  /** The plugin's name. */
  readonly name: string;
  /** The artifact's sequence change number. */
  readonly scn: Scn;
  /** The artifact. */
  readonly path: string;
  /** What is the matter, and the remedy. */
  readonly message: string;
}

/** How much memory the process has has passed a limit, or is below again. */
export interface MemoryEvent {
  /** Tells the kinds apart. */
  readonly type: "memory";
  /** When, as an ISO 8601 time. */
  readonly time: string;
  /**
   * - `soft`: nothing more is loaded
   * - `hard`: the process is to end, and to be started again by who watches over it
   * - `ok`: all is as ever
   */
  readonly level: "ok" | "soft" | "hard";
  /** What the process has of the machine's memory, in bytes. */
  readonly rss: number;
  /** The limit that was passed last, in bytes. */
  readonly limit: number;
}

/** The configuration was read again. */
export interface ConfigEvent {
  /** Tells the kinds apart. */
  readonly type: "config";
  /** When, as an ISO 8601 time. */
  readonly time: string;
  /** Whether it is in force now, or the one before stays so. */
  readonly state: "reloaded" | "rejected";
  /** What came of it. */
  readonly message: string;
  /** The names of the options that have changed and need a restart. */
  readonly restart: readonly string[];
  /** The names of the plugins that run by other settings until their next version, or a restart. */
  readonly plugins: readonly string[];
}

/** The daemon has stopped; the last event. */
export interface StoppedEvent {
  /** Tells the kinds apart. */
  readonly type: "stopped";
  /** When, as an ISO 8601 time. */
  readonly time: string;
}

/** What a daemon tells: all that its manager tells, and what it does itself. */
export type DaemonEvent =
  | ManagerEvent
  | ReadyEvent
  | WatchEvent
  | RetriedEvent
  | DeletedEvent
  | StateEvent
  | QuarantineEvent
  | MemoryEvent
  | ConfigEvent
  | StoppedEvent;
