import { HotplugError } from "../artifact/errors.ts";
import { copyableThrown, type Exporter, type Importer } from "./codec.ts";
import { readStream, StreamSink } from "./stream_sink.ts";
import { StreamSource } from "./stream_source.ts";

/** How the other side is told something. */
export interface Peer {
  /** Calls one of its functions and waits for no answer; throws where it can't be sent. */
  notify(method: string, ...args: unknown[]): void;
  /** Calls one of its functions. */
  call(method: string, ...args: unknown[]): Promise<unknown>;
}

/** How many streams, and how many signals, of the other side may be open at a time. */
const MOST = 10_000;

/**
 * Async iterables and AbortSignals that cross a connection: they stay where they are, and a number
 * stands for them on the other side.
 */
export class Crossings {
  /** What the other side calls about them. */
  readonly functions: ReadonlyMap<string, (...args: never[]) => unknown>;
  /** Makes this side's end of what is the other's. */
  readonly importer: Importer;
  /** Gives numbers to what can't be copied. */
  readonly exporter: Exporter;
  readonly #peer: Peer;
  readonly #sources = new Map<number, StreamSource>();
  /** The reading ends, and how many were opened before each. */
  readonly #sinks = new Map<number, { readonly sink: StreamSink; readonly order: number }>();
  /** How to stop following the signals of this side. */
  readonly #followed = new Map<number, () => void>();
  readonly #controllers = new Map<number, AbortController>();
  #scope: number[] | undefined;
  #last = 0;
  #opened = 0;

  /** Makes the crossings of one connection. */
  constructor(peer: Peer) {
    this.#peer = peer;
    this.importer = {
      iterable: (id) => this.#openSink(id),
      signal: (id, aborted, reason) => this.#openSignal(id, aborted, reason),
    };
    this.exporter = {
      iterable: (value) => this.#offer(++this.#last, value),
      signal: (value) => this.#follow(++this.#last, value),
    };
    this.functions = new Map<string, (...args: never[]) => unknown>([
      ["stream.credit", (id: number, count: number) => this.#sources.get(id)?.credit(count)],
      ["stream.finish", (id: number, value: unknown) => this.#finish(id, value)],
      ["stream.item", (id: number, value: unknown) => this.#sinks.get(id)?.sink.push(value)],
      ["stream.done", (id: number, value: unknown) => this.#endSink(id, { done: value })],
      ["stream.error", (id: number, error: unknown) => this.#endSink(id, { error })],
      ["stream.refused", (id: number, code: unknown, message: unknown) =>
        this.#endSink(id, {
          error: new HotplugError(code === "limit" ? "limit" : "clone", String(message)),
        })],
      ["signal.abort", (id: number, reason: unknown) => this.#abort(id, reason)],
      ["signal.release", (id: number) => void this.#controllers.delete(id)],
    ]);
  }

  /** The number of what crossed last: to go back to, where a message can't be sent. */
  get last(): number {
    return this.#last;
  }

  /** Takes back what crossed after that number: its message could not be sent. */
  undo(last: number): void {
    for (let id = last + 1; id <= this.#last; id++) {
      this.#sources.delete(id);
      this.#unfollow(id);
    }
  }

  /**
   * Sends a call: the signals that go along are followed until it has ended, and so have the streams
   * that came meanwhile. Without, they are followed until the connection ends.
   *
   * @param send Must send before it gives its promise.
   */
  scope<T>(send: () => Promise<T>): Promise<T> {
    const opened = this.#opened;
    const outer = this.#scope;
    const signals: number[] = this.#scope = [];
    try {
      const sent = send();
      return signals.length === 0 ? sent : this.#releaseAfter(sent, signals, opened);
    } finally {
      this.#scope = outer;
    }
  }

  /** Ends all: streams that are read end with the error. */
  close(reason: () => Error): void {
    for (const { sink } of this.#sinks.values()) sink.end({ error: reason() });
    this.#sinks.clear();
    for (const source of this.#sources.values()) source.finish(undefined).catch(() => {});
    this.#sources.clear();
    for (const id of [...this.#followed.keys()]) this.#unfollow(id);
    this.#controllers.clear();
  }

  #offer(id: number, iterable: AsyncIterable<unknown>): number {
    const ending = (tell: () => void): void => {
      this.#sources.delete(id);
      tell();
    };
    const source = new StreamSource(iterable, {
      item: (value) => this.#peer.notify("stream.item", id, value),
      done: (value) => ending(() => this.#tellEnd("stream.done", id, value)),
      refused: ({ code, message }) =>
        ending(() => this.#peer.notify("stream.refused", id, code, message)),
      error: (thrown) =>
        ending(() => this.#peer.notify("stream.error", id, copyableThrown(thrown))),
    });
    this.#sources.set(id, source);
    return id;
  }

  #tellEnd(method: string, id: number, value: unknown): void {
    try {
      this.#peer.notify(method, id, value);
    } catch (error) {
      this.#peer.notify("stream.error", id, error);
    }
  }

  async #finish(id: number, value: unknown): Promise<unknown> {
    const source = this.#sources.get(id);
    this.#sources.delete(id);
    return source ? await source.finish(value) : value;
  }

  #openSink(id: number): AsyncIterable<unknown> {
    refuseMany(this.#sinks.size);
    const control = {
      credit: (count: number) => this.#peer.notify("stream.credit", id, count),
      finish: (value: unknown) => {
        this.#sinks.delete(id);
        return this.#peer.call("stream.finish", id, value);
      },
      drop: () => {
        if (this.#sinks.delete(id)) this.#peer.notify("stream.finish", id, undefined);
      },
    };
    const sink = new StreamSink(control);
    this.#sinks.set(id, { sink, order: this.#opened++ });
    return readStream(sink, control);
  }

  #endSink(id: number, end: Parameters<StreamSink["end"]>[0]): void {
    this.#sinks.get(id)?.sink.end(end);
    this.#sinks.delete(id);
  }

  #follow(id: number, signal: AbortSignal): number {
    if (signal.aborted) return id;
    const onAbort = (): void => {
      this.#followed.delete(id);
      this.#peer.notify("signal.abort", id, copyableThrown(signal.reason));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#followed.set(id, () => signal.removeEventListener("abort", onAbort));
    this.#scope?.push(id);
    return id;
  }

  #unfollow(id: number): void {
    this.#followed.get(id)?.();
    this.#followed.delete(id);
  }

  async #releaseAfter<T>(
    sent: Promise<T>,
    signals: readonly number[],
    opened: number,
  ): Promise<T> {
    try {
      return await sent;
    } finally {
      const streams = [...this.#sinks.values()].filter(({ order }) => order >= opened);
      void Promise.all(streams.map(({ sink }) => sink.ended)).then(() => this.#release(signals));
    }
  }

  #release(signals: readonly number[]): void {
    for (const id of signals) {
      if (!this.#followed.has(id)) continue;
      this.#unfollow(id);
      this.#peer.notify("signal.release", id);
    }
  }

  #openSignal(id: number, aborted: boolean, reason: unknown): AbortSignal {
    if (aborted) return AbortSignal.abort(reason);
    refuseMany(this.#controllers.size);
    const controller = new AbortController();
    this.#controllers.set(id, controller);
    return controller.signal;
  }

  #abort(id: number, reason: unknown): void {
    const controller = this.#controllers.get(id);
    this.#controllers.delete(id);
    controller?.abort(reason);
  }
}

/** One side must not be able to fill the other's memory. */
function refuseMany(size: number): void {
  if (size >= MOST) throw new RangeError(`More than ${MOST} streams or signals are open`);
}
