import { HotplugError } from "../artifact/errors.ts";
import { costOf, WINDOW } from "./stream_cost.ts";

/** How the reading end tells the writing end something. */
export interface StreamControl {
  /** Allows the writer so many units more; the first ones start it. */
  credit(count: number): void;
  /** Ends it early; resolves once the writer's `finally` has run. */
  finish(value: unknown): Promise<unknown>;
  /** Ends it early, and nobody waits. */
  drop(): void;
}

type Item = { readonly value: unknown };
type End = { readonly done: unknown } | { readonly error: unknown };

/**
 * Streams that nobody holds any more are dropped at the writing end. By their control, which knows nothing
 * of the stream: a function made beside it would hold it for good.
 */
const abandoned = new FinalizationRegistry<StreamControl>((control) => control.drop());

/** What arrives of one stream. */
export class StreamSink {
  readonly #items: Item[] = [];
  readonly #control: StreamControl;
  readonly #ending = Promise.withResolvers<void>();
  #waiting: (() => void) | undefined;
  #end: End | undefined;
  #started = false;
  #taken = 0;
  #allowed = 0;

  /** Makes the reading end of a stream that has not begun. */
  constructor(control: StreamControl) {
    this.#control = control;
  }

  /** Resolves once nothing more will come. */
  get ended(): Promise<void> {
    return this.#ending.promise;
  }

  /** Takes an item. */
  push(value: unknown): void {
    if (this.#end) return;
    // One that sends without being allowed to would fill this side's memory.
    if (this.#allowed <= 0) {
      const why = "The stream was cut: its other end sent more than it was asked for";
      return this.end({ error: new HotplugError("protocol", why) });
    }
    this.#allowed -= costOf(value);
    this.#items.push({ value });
    this.#wake();
  }

  /** Takes the end. */
  end(end: End): void {
    this.#end ??= end;
    this.#ending.resolve();
    this.#wake();
  }

  /** The next item, or the end. */
  async next(): Promise<IteratorResult<unknown>> {
    if (!this.#started && !this.#end) {
      this.#started = true;
      this.#allow(WINDOW);
    }
    while (true) {
      const item = this.#items.shift();
      if (item) {
        this.#took(costOf(item.value));
        return { done: false, value: item.value };
      }
      if (this.#end) return this.#ended(this.#end);
      await new Promise<void>((resolve) => this.#waiting = resolve);
    }
  }

  /** Ends it early. */
  async return(value: unknown): Promise<IteratorResult<unknown>> {
    const open = !this.#end;
    this.#items.length = 0;
    this.end({ done: undefined });
    return { done: true, value: open ? await this.#control.finish(value) : value };
  }

  #ended(end: End): IteratorResult<unknown> {
    this.#end = { done: undefined };
    if ("error" in end) throw end.error;
    return { done: true, value: end.done };
  }

  #took(cost: number): void {
    this.#taken += cost;
    if (this.#taken < WINDOW / 2 || this.#end) return;
    this.#allow(this.#taken);
    this.#taken = 0;
  }

  #allow(count: number): void {
    this.#allowed += count;
    this.#control.credit(count);
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }
}

/**
 * The reading end as an async iterator. It asks for more only as it is read: about
 * {@linkcode WINDOW} units are on the way.
 */
export function readStream(
  sink: StreamSink,
  control: StreamControl,
): AsyncIterableIterator<unknown> & AsyncDisposable {
  // One after the other, as a generator takes them.
  let last: Promise<unknown> = Promise.resolve();
  const enqueue = <T>(fn: () => Promise<T>): Promise<T> => {
    const next = last.then(fn);
    last = next.catch(() => {});
    return next;
  };
  const stream = {
    next: () => enqueue(() => sink.next()),
    // Not queued: it ends a `next` that waits.
    return: (value?: unknown) => sink.return(value),
    async throw(error?: unknown): Promise<IteratorResult<unknown>> {
      await sink.return(undefined);
      throw error;
    },
    [Symbol.asyncIterator]: () => stream,
    async [Symbol.asyncDispose](): Promise<void> {
      await sink.return(undefined);
    },
  };
  abandoned.register(stream, control);
  return stream;
}
