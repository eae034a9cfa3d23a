import { HotplugError } from "../../artifact/mod.ts";
import { answerOf, type FetchInfo } from "../../plugin/mod.ts";
import { isAskersFault } from "../askers_fault.ts";
import { HoldBook } from "./hold_book.ts";
import type { CallLimits, FetchWay, Instance } from "../tiers/instance.ts";
import { isAsyncIterator, pinIterator, type PinnedIterator } from "./pinned_iterator.ts";

/** What bounds a call, and how many there may be beside it. */
export interface CallBounds extends CallLimits {
  /** How many calls of the generation may be under way, this one included. */
  readonly maxInFlight: number;
}

/** Fills what bounds leave open. */
export function fillBounds(
  { deadline, maxInFlight, signal }: Partial<CallBounds>,
  defaults: CallBounds,
): CallBounds {
  if (deadline === undefined && maxInFlight === undefined && !signal) return defaults;
  return {
    deadline: deadline ?? defaults.deadline,
    maxInFlight: maxInFlight ?? defaults.maxInFlight,
    ...(signal && { signal }),
  };
}

/** The calls of a plugin in all, though its generations come and go. */
export interface CallSums {
  /** How many were begun. */
  calls: number;
  /** How many of them have failed. */
  errors: number;
}

/** Who is told of what becomes of the calls. */
export interface CallsWorld {
  /** Called each time when nobody holds the generation any more. */
  empty(): void;
  /** Called at the end of each call. */
  ended(): void;
}

/** How a request counts among the symbols. */
const FETCH = "default.fetch";

/** The calls of one generation: who holds it, how many there were, how many failed. */
export class GenerationCalls {
  /** Who holds the generation. */
  readonly holds: HoldBook;
  readonly #instance: Instance;
  readonly #label: string;
  readonly #world: CallsWorld;
  readonly #iterators = new Set<PinnedIterator>();
  readonly #attached: FetchWay = { detached: false, pin: (body) => this.#pinBody(body) };
  readonly #detached: FetchWay = { ...this.#attached, detached: true };
  #inFlight = 0;
  #begun = 0;
  #failed = 0;
  #sums: CallSums | undefined;

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

  /** Adds them to the sums, and from now on all that come, even where the generation is gone by then. */
  countIn(sums: CallSums): void {
    sums.calls += this.#begun;
    sums.errors += this.#failed;
    this.#sums = sums;
  }

  /** Calls a symbol; the generation is held until the call, or the iterator it answers with, ends. */
  async run(symbol: string, args: readonly unknown[], bounds: CallBounds): Promise<unknown> {
    this.#begin(symbol, bounds);
    const hold = this.holds.add("call", symbol);
    try {
      const result = await this.#instance.call(symbol, args, bounds);
      return isAsyncIterator(result) ? this.#pin(symbol, result) : result;
    } catch (error) {
      this.#fail();
      throw error;
    } finally {
      this.holds.end(hold);
      this.#end();
    }
  }

  /**
   * Lets the plugin answer a request; counted and bounded as a call is. Only the lease that it is asked
   * by holds the generation.
   */
  fetch(
    request: Request,
    info: FetchInfo,
    bounds: CallBounds,
    detached: boolean,
  ): Response | Promise<Response> {
    this.#begin(FETCH, bounds);
    let answer: Response | Promise<Response>;
    try {
      answer = this.#instance.fetch(
        request,
        info,
        bounds,
        detached ? this.#detached : this.#attached,
      );
    } catch (error) {
      return this.#refused(error);
    }
    if (answer instanceof Promise) return answer.then(this.#answered, this.#refused);
    return this.#answered(answer);
  }

  /** Ends the iterators that are still being read. */
  cut(error: Error): void {
    for (const each of [...this.#iterators]) each.cut(error);
  }

  #pinBody<T>(body: AsyncIterable<T>): AsyncIterable<T> {
    return this.#pin(FETCH, body[Symbol.asyncIterator]()) as AsyncIterableIterator<T>;
  }

  #begin(symbol: string, { signal, maxInFlight }: CallBounds): void {
    signal?.throwIfAborted();
    if (this.#inFlight >= maxInFlight) throw this.#busy(symbol, maxInFlight);
    this.#begun++;
    this.#inFlight++;
    if (this.#sums) this.#sums.calls++;
  }

  #fail(): void {
    this.#failed++;
    if (this.#sums) this.#sums.errors++;
  }

  #end(): void {
    this.#inFlight--;
    this.#world.ended();
  }

  readonly #answered = (answer: unknown): Response => {
    let response: Response;
    try {
      response = answerOf(answer);
    } catch (error) {
      return this.#refused(error);
    }
    this.#end();
    return response;
  };

  readonly #refused = (error: unknown): never => {
    if (!isAskersFault(error)) this.#fail();
    this.#end();
    throw error;
  };

  #pin(symbol: string, source: AsyncIterator<unknown>): AsyncIterableIterator<unknown> {
    const hold = this.holds.add("iterator", symbol);
    const pinned = pinIterator(source, (error) => {
      if (error !== undefined && !isAskersFault(error)) this.#fail();
      this.#iterators.delete(pinned);
      this.holds.end(hold);
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
