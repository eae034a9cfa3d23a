import { HotplugError } from "../artifact/mod.ts";
import type { EventHistory, EventsAfter } from "./event_history.ts";

/** How events are streamed. */
export interface EventStreamOptions {
  /** Tells the events of this process from those of others, in their ids. */
  readonly epoch: string;
  /** Time between two signs of life, in milliseconds. */
  readonly heartbeat: number;
  /** How many may read at a time. */
  readonly readers: number;
}

/** Where a reader begins. */
export interface EventsFrom {
  /** The id that it has read up to, as the header `Last-Event-ID` says. */
  readonly lastId?: string;
  /** Else so many of the newest events are told first. */
  readonly last?: number;
  /** Whether it goes on with those to come. */
  readonly follow: boolean;
}

const encoder = new TextEncoder();

/** Streams a history as server-sent events, to many readers. */
export class EventStreams {
  readonly #history: EventHistory;
  readonly #options: EventStreamOptions;
  #readers = 0;

  /** Makes it with nobody reading. */
  constructor(history: EventHistory, options: EventStreamOptions) {
    this.#history = history;
    this.#options = options;
  }

  /**
   * Answers with a stream that ends when nothing more will come.
   *
   * @throws {HotplugError} `busy` where too many read already.
   */
  open(from: EventsFrom): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { readers, heartbeat } = this.#options;
    if (this.#readers >= readers) {
      throw new HotplugError(
        "busy",
        `Cannot stream events: ${readers} read already; end one first`,
      );
    }
    this.#readers++;
    const gone = new AbortController();
    const end = (): void => {
      if (gone.signal.aborted) return;
      gone.abort();
      this.#readers--;
    };
    let { cursor, first } = this.#begin(from);
    return new ReadableStream({
      start: (controller) => {
        // At once, so that who asks knows that it is heard.
        controller.enqueue(encoder.encode(": hotplug\n\n" + (first ?? "")));
      },
      pull: async (controller) => {
        const due = this.#history.after(cursor);
        if (due.events.length > 0 || due.lost > 0) {
          cursor = this.#history.last;
          controller.enqueue(encoder.encode(this.#format(due)));
        } else if (this.#history.closed || !from.follow) {
          end();
          controller.close();
        } else {
          const late = new AbortController();
          const timer = setTimeout(() => late.abort(), heartbeat);
          await this.#history.changed(cursor, AbortSignal.any([gone.signal, late.signal]));
          clearTimeout(timer);
          if (gone.signal.aborted) return;
          controller.enqueue(encoder.encode(late.signal.aborted ? ":\n\n" : ""));
        }
      },
      cancel: end,
    }, { highWaterMark: 0 });
  }

  #begin({ lastId, last = 0 }: EventsFrom): { cursor: number; first?: string } {
    if (lastId === undefined) return { cursor: Math.max(0, this.#history.last - last) };
    const [epoch, id = ""] = lastId.split("-");
    if (epoch === this.#options.epoch && /^\d{1,15}$/.test(id)) {
      return { cursor: Math.min(Number(id), this.#history.last) };
    }
    // Of another process: what it told after that is not to be had, all that this one knows is.
    const { lost } = this.#history.after(0);
    return { cursor: lost, first: this.#gap(lost, { reason: "restarted" }) };
  }

  #format({ lost, events }: EventsAfter): string {
    const { epoch } = this.#options;
    const gap = lost > 0 ? this.#gap((events[0]?.id ?? 1) - 1, { reason: "overflow", lost }) : "";
    return gap +
      events.map(({ id, type, json }) => `id: ${epoch}-${id}\nevent: ${type}\ndata: ${json}\n\n`)
        .join("");
  }

  #gap(upTo: number, what: { readonly reason: string; readonly lost?: number }): string {
    const data = JSON.stringify({ type: "gap", time: new Date().toISOString(), ...what });
    return `id: ${this.#options.epoch}-${upTo}\nevent: gap\ndata: ${data}\n\n`;
  }
}
