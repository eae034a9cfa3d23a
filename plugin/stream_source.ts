import type { HotplugError } from "../artifact/errors.ts";
import { costOf } from "./stream_cost.ts";

/** How the writing end tells the reading end something. */
export interface StreamOutput {
  /** Sends an item; throws where it can't be copied. */
  item(value: unknown): void;
  /** Sends the end. */
  done(value: unknown): void;
  /** Tells that an item could not be sent. */
  refused(error: HotplugError): void;
  /** Sends what was thrown. */
  error(thrown: unknown): void;
}

/** The writing end: runs the iterable as far as the reader allows. */
export class StreamSource {
  readonly #iterable: AsyncIterable<unknown>;
  readonly #output: StreamOutput;
  #iterator: AsyncIterator<unknown> | undefined;
  #credit = 0;
  #running = false;
  #ended = false;

  /** Makes the writing end; nothing runs before there is credit. */
  constructor(iterable: AsyncIterable<unknown>, output: StreamOutput) {
    this.#iterable = iterable;
    this.#output = output;
  }

  /** Allows so many units more. */
  credit(count: number): void {
    this.#credit += count;
    if (!this.#running && !this.#ended) void this.#run();
  }

  /** Ends it early, with the iterable's `return`. */
  async finish(value: unknown): Promise<unknown> {
    if (this.#ended) return value;
    this.#ended = true;
    // One that never began has nothing to clean up but what its `return` says.
    const result = await (this.#iterator ?? this.#iterable[Symbol.asyncIterator]()).return?.(value);
    return result?.value ?? value;
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      const iterator = this.#iterator ??= this.#iterable[Symbol.asyncIterator]();
      while (this.#credit > 0 && !this.#ended) {
        const { done, value } = await iterator.next();
        if (this.#ended) return;
        if (done) return this.#end(() => this.#output.done(value));
        this.#credit -= costOf(value);
        this.#send(value);
      }
    } catch (error) {
      if (!this.#ended) this.#end(() => this.#output.error(error));
    } finally {
      this.#running = false;
    }
  }

  #send(value: unknown): void {
    try {
      this.#output.item(value);
    } catch (error) {
      this.#end(() => this.#output.refused(error as HotplugError));
      // It is the item that can't be sent: the iterable goes on and is to be told.
      Promise.resolve(this.#iterator?.return?.()).catch(() => {});
    }
  }

  #end(tell: () => void): void {
    this.#ended = true;
    tell();
  }
}
