import type { DaemonEvent } from "../daemon/mod.ts";
import type { CtlClient } from "./ctl_client.ts";
import { formatEvent } from "./format_event.ts";
import type { Io } from "./io.ts";
import { printable } from "./printable.ts";
import { unlessAborted } from "./until_aborted.ts";

/** What is printed of events, and how. */
export interface CtlEventFlags {
  readonly last?: number;
  readonly follow: boolean;
  readonly json?: true;
}

/** Prints a daemon's events. */
export async function ctlEvents(
  client: CtlClient,
  { last = 0, follow, json }: CtlEventFlags,
  io: Io,
): Promise<void> {
  const print = io.later?.stdout ?? io.stdout;
  for await (const event of client.events(last, follow)) {
    const printed = print(json ? `${event.json}\n` : format(event.json, io.isTerminal));
    // Who reads may stand still: it ends all the same once it is told to.
    await unlessAborted(Promise.resolve(printed), io.signal);
    if (io.signal?.aborted) return;
  }
}

interface Gap {
  readonly type: "gap";
  readonly time: string;
  readonly reason: string;
  readonly lost?: number;
}

function format(json: string, colour: boolean): string {
  const event = JSON.parse(json) as DaemonEvent | Gap;
  if (event.type === "gap") {
    const what = event.reason === "restarted"
      ? "the daemon was started anew"
      : `${event.lost} events are kept no more`;
    return `${event.time.slice(11)}  gap       ${what}\n`;
  }
  try {
    return formatEvent(event, colour);
  } catch {
    // Of a daemon of another version, which tells other things.
    return `${printable(json)}\n`;
  }
}
