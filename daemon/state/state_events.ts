import type { Scn } from "../../artifact/mod.ts";
import type { QuarantineEvent, StateEvent } from "../events.ts";
import type { KeptGeneration } from "./state_record.ts";

/** What is told of the state. */
export type TellState = (event: StateEvent | QuarantineEvent) => void;

/** An event about the state. */
export function stateEvent(
  state: StateEvent["state"],
  message: string,
  name?: string,
): StateEvent {
  const time = new Date().toISOString();
  return { type: "state", time, state, message, ...(name !== undefined && { name }) };
}

/** An event about a version that ended the process. */
export function quarantineEvent(
  type: QuarantineEvent["type"],
  version: { readonly name: string; readonly scn: Scn; readonly path: string },
): QuarantineEvent {
  const { name, scn, path } = version;
  const what = `Plugin "${name}" (SCN ${scn})`;
  const message = {
    suspected:
      `${what} was loading, or just loaded, when the process ended; it is tried once more, after ` +
      "all others",
    quarantined:
      `${what} was loading, or just loaded, more than once when the process ended, and is in ` +
      "quarantine; publish a newer version, or release it",
    unquarantined: `${what} is out of quarantine`,
  }[type];
  return { type, time: new Date().toISOString(), name, scn, path, message };
}

/** What is told of a state that can't be had, and why. */
export function lostEvent(why: string): StateEvent {
  return stateEvent(
    "lost",
    `${why}; the initial SCN and what lies in the folders decide what is loaded`,
  );
}

/** What is told of a generation whose bytes are gone from the store. */
export function unkeptEvent(name: string, { scn, path }: KeptGeneration): StateEvent {
  return stateEvent(
    "unkept",
    `The bytes of plugin "${name}" (SCN ${scn}) are gone from the store, and "${path}" does not have ` +
      "them any more: a restart can't go back to it; publish that one again, or a newer version",
    name,
  );
}
