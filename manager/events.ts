import type { ErrorCode, Scn } from "../artifact/mod.ts";

/** A generation became the current one. */
export interface LoadedEvent {
  /** Tells the kinds apart. */
  readonly type: "loaded";
  /** When, as an ISO 8601 time. */
  readonly time: string;
  /** The plugin's name. */
  readonly name: string;
  /** The sequence change number of the generation. */
  readonly scn: Scn;
  /** The file that it was loaded from. */
  readonly path: string;
  /** SHA-256 of the content, in hex. */
  readonly sha256: string;
  /** The SCN of the generation that it supersedes; absent for the first. */
  readonly previous?: Scn;
  /** From the begin of `open` to the flip, in milliseconds. */
  readonly durationMs: number;
}

/** What is common to the events about something that did not become current. */
export interface RefusalEvent {
  /** When, as an ISO 8601 time. */
  readonly time: string;
  /** What went wrong, as a stable word. */
  readonly code: ErrorCode;
  /** What went wrong, and the remedy. */
  readonly message: string;
  /** The plugin's name, as far as it is known. */
  readonly name?: string;
  /** The sequence change number, as far as it is known. */
  readonly scn?: Scn;
  /** The file in question, as far as there is one. */
  readonly path?: string;
}

/** An artifact failed to load, or a loaded plugin did something that would have ended the process. */
export interface FailedEvent extends RefusalEvent {
  /** Tells the kinds apart. */
  readonly type: "failed";
  /** Whether another try makes sense only with another file. */
  readonly final: boolean;
  /** The stack trace of the plugin's own error, where there is one. */
  readonly stack?: string;
}

/** An artifact is not for this host, or not for now. */
export interface SkippedEvent extends RefusalEvent {
  /** Tells the kinds apart. */
  readonly type: "skipped";
}

/** An artifact has the name and SCN of a loaded one and other content; the loaded one stays. */
export interface ConflictEvent extends RefusalEvent {
  /** Tells the kinds apart. */
  readonly type: "conflict";
}

/**
 * A superseded generation is inactive from now on: it was drained and deactivated. Not told where
 * nobody held it at the flip and it has no `deactivate`.
 */
export interface ParkedEvent {
  /** Tells the kinds apart. */
  readonly type: "parked";
  /** When, as an ISO 8601 time. */
  readonly time: string;
  /** The plugin's name. */
  readonly name: string;
  /** The sequence change number of the generation. */
  readonly scn: Scn;
  /** Whether its time was over before everybody had left it. */
  readonly forced: boolean;
  /** From the flip to when the last holder left, or the time was over, in milliseconds. */
  readonly durationMs: number;
}

/** A generation is gone: the retention did not keep it. */
export interface RetiredEvent {
  /** Tells the kinds apart. */
  readonly type: "retired";
  /** When, as an ISO 8601 time. */
  readonly time: string;
  /** The plugin's name. */
  readonly name: string;
  /** The sequence change number of the generation. */
  readonly scn: Scn;
}

/** A generation that is in memory is current again, and what it was rolled back from is held. */
export interface RolledBackEvent {
  /** Tells the kinds apart. */
  readonly type: "rolled-back";
  /** When, as an ISO 8601 time. */
  readonly time: string;
  /** The plugin's name. */
  readonly name: string;
  /** The SCN that is current now. */
  readonly scn: Scn;
  /** The SCN that was current before. */
  readonly from: Scn;
  /** Nothing up to this SCN is loaded until it is released. */
  readonly held: Scn;
  /** Why. */
  readonly reason: string;
  /** Whether nobody asked for it: it failed its probation. */
  readonly automatic: boolean;
}

/** A hold of a plugin has changed: `released` after a rollback, `frozen` and `thawed`. */
export interface HoldEvent {
  /** Tells the kinds apart. */
  readonly type: "released" | "frozen" | "thawed";
  /** When, as an ISO 8601 time. */
  readonly time: string;
  /** The plugin's name. */
  readonly name: string;
}

/**
 * Something about a plugin in a process or worker: `permissions`, it asks for more than the host allows
 * and runs without; `restarted`, it runs again after a crash.
 */
export interface NoteEvent {
  /** Tells the kinds apart. */
  readonly type: "permissions" | "restarted";
  /** When, as an ISO 8601 time. */
  readonly time: string;
  /** What it is, and the remedy where there is one. */
  readonly message: string;
  /** The plugin's name. */
  readonly name?: string;
  /** The sequence change number of the generation. */
  readonly scn?: Scn;
  /** The file that it was loaded from. */
  readonly path: string;
}

/** What a manager tells. */
export type ManagerEvent =
  | LoadedEvent
  | FailedEvent
  | SkippedEvent
  | ConflictEvent
  | ParkedEvent
  | RetiredEvent
  | RolledBackEvent
  | HoldEvent
  | NoteEvent;

const SKIPS: ReadonlySet<ErrorCode> = new Set([
  "outdated",
  "platform",
  "runtime",
  "future",
  "held",
  "frozen",
  "approval-required",
  "memory",
]);

const PASSING: ReadonlySet<ErrorCode> = new Set([
  "io",
  "incomplete",
  "load",
  "deadline",
  "activation",
  "health",
  "quiesce",
  "handover",
  "crashed",
  "no-deno",
  "future",
  "held",
  "frozen",
  "approval-required",
  "memory",
]);

/**
 * Tells whether an error of this code stays until the file changes.
 *
 * The others pass: the next try may succeed with the same bytes, since what a module's top level
 * throws, or its `activate`, may depend on the world.
 */
export function isFinal(code: ErrorCode): boolean {
  return !PASSING.has(code);
}

/** The kind of event that an error of this code makes. */
export function refusalType(code: ErrorCode): "failed" | "skipped" | "conflict" {
  if (code === "conflict") return "conflict";
  return SKIPS.has(code) ? "skipped" : "failed";
}
