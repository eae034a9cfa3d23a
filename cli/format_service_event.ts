import type { BuildServiceEvent } from "../builder/mod.ts";
import { printable } from "./printable.ts";

const COLOURS: Record<BuildServiceEvent["type"], number> = {
  listening: 36,
  built: 32,
  failed: 31,
  cancelled: 33,
  refused: 33,
  closed: 36,
};

/** An event of a build service as a line for people: time in UTC, kind, what it is about. */
export function formatServiceEvent(event: BuildServiceEvent, now: Date, colour: boolean): string {
  const about = printable(describe(event)).replaceAll("\n", "\n    ");
  const kind = about === "" ? event.type : event.type.padEnd(9);
  const painted = colour ? `\x1b[${COLOURS[event.type]}m${kind}\x1b[0m` : kind;
  return `${now.toISOString().slice(11)}  ${painted}${about && `  ${about}`}\n`;
}

function describe(event: BuildServiceEvent): string {
  switch (event.type) {
    case "listening":
      return event.url;
    case "built": {
      const { id, name, targets, failed, durationMs } = event;
      const some = failed === 0 ? "" : `, ${failed} failed`;
      return `#${id} ${name}, ${targets === 1 ? "1 target" : `${targets} targets`}${some} in ` +
        seconds(durationMs);
    }
    case "failed":
      return `#${event.id} in ${seconds(event.durationMs)}: ${event.message} [${event.code}]`;
    case "cancelled":
      return `#${event.id} after ${seconds(event.durationMs)}: who asked went away`;
    case "refused":
      return `${event.message} [${event.code}]`;
    case "closed":
      return "";
    default:
      return event satisfies never;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
