import { basename } from "@std/path";
import type { DaemonEvent, MemoryEvent, ReadyEvent, WatchEvent } from "../daemon/mod.ts";
import { printable } from "./printable.ts";

const COLOURS: Record<DaemonEvent["type"], number> = {
  loaded: 32,
  failed: 31,
  conflict: 31,
  "rolled-back": 31,
  skipped: 33,
  permissions: 33,
  frozen: 33,
  released: 36,
  restarted: 36,
  thawed: 36,
  parked: 36,
  retired: 36,
  retried: 36,
  deleted: 33,
  config: 36,
  memory: 31,
  state: 33,
  suspected: 33,
  quarantined: 31,
  unquarantined: 36,
  watch: 36,
  ready: 36,
  stopped: 36,
};
const SHOWN_NAMES = 10;

/** An event as a line for people: time in UTC, kind, what it is about. */
export function formatEvent(event: DaemonEvent, colour: boolean): string {
  const about = printable(describe(event)).replaceAll("\n", "\n    ");
  const kind = about === "" ? event.type : event.type.padEnd(8);
  const painted = colour ? `\x1b[${COLOURS[event.type]}m${kind}\x1b[0m` : kind;
  return `${event.time.slice(11)}  ${painted}${about && `  ${about}`}\n`;
}

function describe(event: DaemonEvent): string {
  switch (event.type) {
    case "loaded": {
      const before = event.previous === undefined ? "" : ` (was ${event.previous})`;
      return `${event.name} ${event.scn}${before} in ${event.durationMs.toFixed(1)} ms`;
    }
    case "failed":
      return `${event.message} [${event.code}]${placeOf(event.stack)}`;
    case "skipped":
    case "conflict":
      return `${event.message} [${event.code}]`;
    case "permissions":
    case "restarted":
    case "state":
    case "config":
    case "suspected":
    case "quarantined":
    case "unquarantined":
      return event.message;
    case "memory":
      return describeMemory(event);
    case "deleted":
      return `${event.path} is gone; ${event.name} ${event.scn} stays loaded`;
    case "parked": {
      const how = event.forced ? "its time was over" : "left";
      return `${event.name} ${event.scn}: ${how} after ${event.durationMs.toFixed(0)} ms`;
    }
    case "retired":
      return `${event.name} ${event.scn}`;
    case "rolled-back":
      return `${event.name} ${event.from} to ${event.scn}: ${event.reason}`;
    case "released":
    case "frozen":
    case "thawed":
      return event.name;
    case "retried": {
      const { path, outcome, attempts, code } = event;
      const tries = attempts === 1 ? "1 try" : `${attempts} tries`;
      return `${basename(path)}: ${outcome} after ${tries} [${code}]`;
    }
    case "watch":
      return describeWatch(event);
    case "ready":
      return describeReady(event);
    case "stopped":
      return "";
    default:
      return event satisfies never;
  }
}

function describeMemory({ level, rss, limit }: MemoryEvent): string {
  const [is, most] = [rss, limit].map((bytes) => `${Math.round(bytes / 2 ** 20)} MiB`);
  switch (level) {
    case "ok":
      return `the process has ${is}: it loads again`;
    case "soft":
      return `the process has ${is}, more than ${most}: nothing more is loaded`;
    case "hard":
      return `the process has ${is}, more than ${most}: it is to be started again`;
    default:
      return level satisfies never;
  }
}

/** Where a plugin threw what it threw; on a line of its own. */
function placeOf(stack = ""): string {
  // With a line and a column: a message may have lines that begin so. Not where the runtime threw it.
  const [frame] = /^\s+at (?:async )?(?!(?:\S.* \()?(?:ext|node):).*:\d+:\d+\)?$/m.exec(stack) ??
    [];
  return frame === undefined ? "" : `\n${frame.trim()}`;
}

function describeWatch({ directory, state, message }: WatchEvent): string {
  switch (state) {
    case "watching":
      return directory;
    case "polling":
      return `${directory} is listed now and then: ${message}`;
    case "missing":
      return `${directory} is not there; it is waited for`;
    case "error":
      return `${directory} can't be watched, and is looked at now and then: ${message}`;
    default:
      return state satisfies never;
  }
}

function describeReady({ plugins, durationMs }: ReadyEvent): string {
  const names = plugins.slice(0, SHOWN_NAMES);
  if (plugins.length > names.length) names.push(`and ${plugins.length - names.length} more`);
  const count = plugins.length === 1 ? "1 plugin" : `${plugins.length} plugins`;
  const list = names.length > 0 ? `: ${names.join(", ")}` : "";
  return `${count} loaded in ${durationMs.toFixed(0)} ms${list}`;
}
