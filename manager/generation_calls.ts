import { HotplugError } from "../artifact/mod.ts";
import { HoldBook, type Holder } from "./hold_book.ts";
import type { CallLimits, Instance } from "./instance.ts";
import { isAsyncIterator, pinIterator, type PinnedIterator } from "./pinned_iterator.ts";

/** What bounds a call, and how many there may be beside it. */
export interface CallBounds extends CallLimits {
  /** How many calls of the generation may be under way, this one included. */
  readonly maxInFlight: number;
}

/** Who is told of what becomes of the calls. */
export interface CallsWorld {
  /** Called each time when nobody holds the generation any more. */
  empty(): void;
  /** Called at the end of each call. */
  ended(): void;
}

/** The calls of one generation: who holds it, how many there were, how many failed. */
export class GenerationCalls {
  /** Who holds the generation. */
  readonly holds: HoldBook;
  readonly #instance: Instance;
  readonly #label: string;
  readonly #world: CallsWorld;
  readonly #iterators = new Set<PinnedIterator>();
  #inFlight = 0;
  #begun = 0;
  #failed = 0;

  /** Counts from nothing on; the label is how messages name the generation. */
  constructor(instance: Instance, label: string, world: CallsWorld) {
    this.#instance = instance;
    this.#label = label;
    this.#world = world;
    this.holds = new HoldBook(() => world.empty());
  }

  /** How many were begun so far. */
  get begun(): number {
    return this.#begun;
  }

  /** How many have ended so far, well or not. */
  get ended(): number {
    return this.#begun - this.#inFlight;
  }

  /** How many have failed so far. */
  get failed(): number {
    return this.#failed;
  }

  /** Calls a symbol; the generation is held until the call, or the iterator it answers with, ends. */
  async run(symbol: string, args: readonly unknown[], bounds: CallBounds): Promise<unknown> {
    bounds.signal?.throwIfAborted();
    if (this.#inFlight >= bounds.maxInFlight) throw this.#busy(symbol, bounds.maxInFlight);
    const holder: Holder = { kind: "call", symbol, since: Date.now() };
    this.holds.add(holder);
    this.#begun++;
    this.#inFlight++;
    try {
      const result = await this.#instance.call(symbol, args, bounds);
      return isAsyncIterator(result) ? this.#pin(symbol, result) : result;
    } catch (error) {
      this.#failed++;
      throw error;
    } finally {
      this.#inFlight--;
      this.holds.end(holder);
      this.#world.ended();
    }
  }

  /** Ends the iterators that are still being read. */
  cut(error: Error): void {
    for (const each of [...this.#iterators]) each.cut(error);
  }

  #pin(symbol: string, source: AsyncIterator<unknown>): AsyncIterableIterator<unknown> {
    const holder: Holder = { kind: "iterator", symbol, since: Date.now() };
    this.holds.add(holder);
    const pinned = pinIterator(source, (error) => {
      if (error !== undefined) this.#failed++;
      this.#iterators.delete(pinned);
      this.holds.end(holder);
    });
    this.#iterators.add(pinned);
    return pinned.iterator;
  }

  #busy(symbol: string, most: number): HotplugError {
    return new HotplugError(
      "busy",
      `Cannot call "${symbol}" of ${this.#label}: ${most} calls are under way already; try again ` +
        `when one has ended, or raise "maxInFlight"`,
    );
  }
}
