import { basename } from "@std/path";
import type { DaemonEvent } from "../daemon/mod.ts";

const COLOURS: Record<DaemonEvent["type"], number> = {
  loaded: 32,
  failed: 31,
  conflict: 31,
  skipped: 33,
  retried: 36,
  watch: 36,
  ready: 36,
  stopped: 36,
};

/** An event as a line for people: time, kind, what it is about. */
export function formatEvent(event: DaemonEvent, colour: boolean): string {
  const kind = event.type.padEnd(8);
  const painted = colour ? `\x1b[${COLOURS[event.type]}m${kind}\x1b[0m` : kind;
  return `${event.time.slice(11, 23)}  ${painted}  ${describe(event)}\n`;
}

function describe(event: DaemonEvent): string {
  switch (event.type) {
    case "loaded": {
      const before = event.previous === undefined ? "" : `, was ${event.previous}`;
      return `${event.name} ${event.scn} in ${event.durationMs.toFixed(1)} ms${before}`;
    }
    case "failed":
    case "skipped":
    case "conflict":
      return `${event.message} [${event.code}]`;
    case "retried":
      return `${
        basename(event.path)
      }: ${event.outcome} after ${event.attempts} tries [${event.code}]`;
    case "watch":
      return `${event.directory}: ${event.message ?? event.state}`;
    case "ready": {
      const plugins = event.plugins.length > 0 ? event.plugins.join(", ") : "no plugin yet";
      return `${plugins} (${event.durationMs.toFixed(0)} ms); watching ${event.watch.join(", ")}`;
    }
    case "stopped":
      return "";
    default:
      return event satisfies never;
  }
}
