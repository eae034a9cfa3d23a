import { HotplugError } from "../../artifact/mod.ts";
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

/** Events on their way to a reader. */
export interface OpenEvents {
  /** What it goes on after where it is broken off before its first event. */
  readonly id: string;
  /** The events. */
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** How far somebody has read. */
interface Reader {
  /** The id of the last event that it was sent. */
  cursor: number;
  /** What goes before all events. */
  due: string;
  /** Whether it takes one of the places. */
  counted: boolean;
}

const encoder = new TextEncoder();
const SIGN_OF_LIFE = ":\n\n";

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
   * Answers with a stream that ends when nothing more will come. It begins with an id that is no event's: who
   * is cut off before the first one misses none either, nor takes another process for this one.
   *
   * @throws {HotplugError} `busy` where too many read already.
   */
  open(from: EventsFrom): OpenEvents {
    const { epoch, readers } = this.#options;
    if (this.#readers >= readers) {
      throw new HotplugError(
        "busy",
        `Cannot stream events: ${readers} read already; end one first`,
      );
    }
    const gone = new AbortController();
    const { cursor, first = "" } = this.#begin(from);
    const id = `${epoch}-${cursor}`;
    const reader: Reader = { cursor, due: `: hotplug\nid: ${id}\n\n${first}`, counted: false };
    const end = (): void => {
      if (gone.signal.aborted) return;
      gone.abort();
      if (reader.counted) this.#readers--;
    };
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        // Not before: the answer to HEAD has a stream that nobody reads or cancels.
        if (!reader.counted) this.#readers++;
        reader.counted = true;
        const text = await this.#next(reader, from.follow, gone.signal);
        if (gone.signal.aborted) return;
        if (text !== undefined) return controller.enqueue(encoder.encode(text));
        end();
        controller.close();
      },
      cancel: end,
    }, { highWaterMark: 0 });
    return { id, stream };
  }

  /** What is to be sent next; undefined at the end. */
  async #next(reader: Reader, follow: boolean, gone: AbortSignal): Promise<string | undefined> {
    const { due } = reader;
    reader.due = "";
    if (due !== "") return due;
    const news = (): string => {
      const after = this.#history.after(reader.cursor);
      reader.cursor = this.#history.last;
      return this.#format(after);
    };
    const text = news();
    if (text !== "") return text;
    if (this.#history.closed || !follow) return undefined;
    await this.#history.changed(reader.cursor, gone, this.#options.heartbeat);
    return news() || (this.#history.closed ? undefined : SIGN_OF_LIFE);
  }

  #begin({ lastId, last = 0 }: EventsFrom): { cursor: number; first?: string } {
    const { lost } = this.#history.after(0);
    if (lastId === undefined) return { cursor: Math.max(lost, this.#history.last - last) };
    const [epoch, id = ""] = lastId.split("-");
    if (epoch === this.#options.epoch && /^\d{1,15}$/.test(id)) {
      return { cursor: Math.min(Number(id), this.#history.last) };
    }
    // Of another process: what it told after that is not to be had, all that this one knows is.
    return { cursor: lost, first: this.#gap(lost, { reason: "restarted" }) };
  }

  #format({ lost, events }: EventsAfter): string {
    const { epoch } = this.#options;
    const upTo = events[0] ? events[0].id - 1 : this.#history.last;
    const gap = lost > 0 ? this.#gap(upTo, { reason: "overflow", lost }) : "";
    return gap +
      events.map(({ id, type, json }) => `id: ${epoch}-${id}\nevent: ${type}\ndata: ${json}\n\n`)
        .join("");
  }

  #gap(upTo: number, what: { readonly reason: string; readonly lost?: number }): string {
    const data = JSON.stringify({ type: "gap", time: new Date().toISOString(), ...what });
    return `id: ${this.#options.epoch}-${upTo}\nevent: gap\ndata: ${data}\n\n`;
  }
}
