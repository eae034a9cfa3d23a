import { byName } from "../artifact/by_name.ts";
import type { ErrorCode, Scn } from "../artifact/mod.ts";
import type { PendingVersion, PluginStatus } from "../manager/mod.ts";
import type { WatchEvent } from "./events.ts";
import type { LogLevel } from "./log_level.ts";
import type { MemoryLimits } from "./memory_budget.ts";

/** How the watching of a folder stands. */
export interface WatchStatus {
  /** The folder. */
  readonly directory: string;
  /** Whether the file system tells of changes, or the folder is listed now and then. */
  readonly mode: "events" | "polling";
  /** What was found; see {@linkcode WatchEvent.state}. */
  readonly state: WatchEvent["state"];
  /** What is the matter, where something is. */
  readonly message?: string;
  /** Since when, as an ISO 8601 time. */
  readonly since: string;
}

/** A version that is kept from loading, since the process ended more than once as it did. */
export interface QuarantinedVersion {
  /** The plugin's name. */
  readonly name: string;
  /** Its sequence change number. */
  readonly scn: Scn;
  /** The file. */
  readonly path: string;
  /** Why. */
  readonly reason: string;
  /** Since when, as an ISO 8601 time. */
  readonly since: string;
}

/** A version that does not load. */
export interface FailingVersion {
  /** The plugin's name. */
  readonly name: string;
  /** Its sequence change number. */
  readonly scn: Scn;
  /** The file. */
  readonly path: string;
  /** What went wrong at the last try, as a stable word. */
  readonly code: ErrorCode;
  /** How often it was tried. */
  readonly attempts: number;
  /** When it is tried again, as an ISO 8601 time; absent where that takes another file, or other settings. */
  readonly retryAt?: string;
}

/** A version newer than what is loaded that is not opened, since it is not for this host, or not for now. */
export interface SkippedVersion {
  /** The plugin's name. */
  readonly name: string;
  /** Its sequence change number. */
  readonly scn: Scn;
  /** The file. */
  readonly path: string;
  /** Which rule keeps it out, as a stable word. */
  readonly code: ErrorCode;
  /** Why, and the remedy. */
  readonly message: string;
}

/** A file that was meant to be an artifact, and by its name is none. */
export interface MisnamedFile {
  /** The file. */
  readonly path: string;
  /** What is the matter with its name. */
  readonly message: string;
}

/** What the process takes of memory, in bytes. */
export interface MemoryStatus {
  /** All that it has of the machine's. */
  readonly rss: number;
  /** What V8's heap holds. */
  readonly heapUsed: number;
  /** What V8's heap has. */
  readonly heapTotal: number;
  /** What lies outside of the heap, and is held by it. */
  readonly external: number;
  /** Past this RSS nothing is loaded; absent where there is no such limit. */
  readonly softLimit?: number;
  /** Past this RSS the process is to end; absent where there is no such limit. */
  readonly hardLimit?: number;
}

/** The full scans so far; a look at the files alone that an event named is none. */
export interface ScanStatus {
  /** How many have ended. */
  readonly count: number;
  /** When the last one ended, as an ISO 8601 time; absent before the first. */
  readonly lastAt?: string;
  /** How long the last one took, in milliseconds; absent before the first. */
  readonly lastDurationMs?: number;
  /** How many names the last one found in all folders. */
  readonly files: number;
}

/** How a daemon stands. */
export interface DaemonStatus {
  /** Whether it has looked at all its folders once, and opened what was there. */
  readonly ready: boolean;
  /** Whether it is closed, or being closed. */
  readonly closed: boolean;
  /** When it was started, as an ISO 8601 time; absent before that. */
  readonly startedAt?: string;
  /** Since its start, in milliseconds; 0 before that. */
  readonly uptimeMs: number;
  /** The watched folders. */
  readonly watch: readonly WatchStatus[];
  /** The plugins, sorted by name. */
  readonly plugins: readonly PluginStatus[];
  /** The versions that wait for an approval. */
  readonly pending: readonly PendingVersion[];
  /** The versions that do not load, by name. */
  readonly failing: readonly FailingVersion[];
  /** The versions that are not opened, as the last scan found them, by name. */
  readonly skipped: readonly SkippedVersion[];
  /** The files that were meant to be artifacts and are none, as the last scan found them. */
  readonly misnamed: readonly MisnamedFile[];
  /** The versions in quarantine. */
  readonly quarantine: readonly QuarantinedVersion[];
  /** What the process takes of memory. */
  readonly memory: MemoryStatus;
  /** The full scans so far. */
  readonly scans: ScanStatus;
  /** What is logged. */
  readonly logLevel: LogLevel;
  /** The state folder; absent where nothing outlives the process. */
  readonly state?: string;
}

/** What a status is made of. */
export interface StatusParts
  extends Omit<DaemonStatus, "startedAt" | "uptimeMs" | "memory" | "state"> {
  /** When it was started, in milliseconds since the epoch. */
  readonly startedAt: number | undefined;
  /** How much memory there may be; `Infinity` for no limit. */
  readonly limits: MemoryLimits;
  /** The state folder. */
  readonly state: string | undefined;
}

/** A version that does not load; `at` is when it is tried again, in milliseconds of `performance.now()`. */
export function failingVersion(
  name: string,
  { scn, path, code, attempts }: Omit<FailingVersion, "name" | "retryAt">,
  at: number,
): FailingVersion {
  const wait = Math.max(0, at - performance.now());
  return {
    ...{ name, scn, path, code, attempts },
    ...(at !== Infinity && { retryAt: new Date(Date.now() + wait).toISOString() }),
  };
}

/** The versions that do not load, of folders and of the state, each once and sorted by name. */
export function allFailing(
  found: readonly FailingVersion[],
  kept: readonly FailingVersion[],
): FailingVersion[] {
  const isFound = ({ name, scn }: FailingVersion): boolean =>
    found.some((each) => each.name === name && each.scn === scn);
  return [...found, ...kept.filter((each) => !isFound(each))]
    .sort(byName);
}

/** How a daemon stands now. */
export function daemonStatus({ startedAt, limits, state, ...parts }: StatusParts): DaemonStatus {
  const { rss, heapUsed, heapTotal, external } = Deno.memoryUsage();
  const { memorySoft: softLimit, memoryHard: hardLimit } = limits;
  return {
    ...parts,
    ...(startedAt !== undefined && { startedAt: new Date(startedAt).toISOString() }),
    uptimeMs: startedAt === undefined ? 0 : Math.max(0, Date.now() - startedAt),
    memory: {
      ...{ rss, heapUsed, heapTotal, external },
      ...(softLimit !== Infinity && { softLimit }),
      ...(hardLimit !== Infinity && { hardLimit }),
    },
    ...(state !== undefined && { state }),
  };
}
