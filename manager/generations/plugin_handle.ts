import type { CallBounds } from "./generation_calls.ts";

/** What bounds a call; what is left out is as the plugin's settings say. */
export interface CallOptions {
  /** Ends the wait for the answer; its reason is thrown. */
  readonly signal?: AbortSignal;
  /**
   * How long the answer may take, in milliseconds; `Infinity` for as long as it takes.
   *
   * @default `callDeadline` of the plugin: `Infinity` inline, 30 000 in a worker or process
   */
  readonly deadline?: number;
  /**
   * How many calls of the generation may be under way, this one included.
   *
   * @default `maxInFlight` of the plugin: `Infinity` inline, 1 024 in a worker or process
   */
  readonly maxInFlight?: number;
}

/** What a call by a handle answers with: a promise, which can be iterated where its value can. */
export type HandleResult<R> = Awaited<R> extends AsyncIterable<infer T>
  ? Promise<Awaited<R>> & AsyncIterable<T>
  : Promise<Awaited<R>>;

/** A plugin's functions, each as an async one that goes to the current generation. */
export type PluginHandle<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends
    (...args: infer A) => infer R ? (...args: A) => HandleResult<R> : never;
};

/** Calls a symbol of whatever is current when the call begins. */
export type CallCurrent = (
  symbol: string,
  args: readonly unknown[],
  bounds: Partial<CallBounds>,
) => Promise<unknown>;

/**
 * Makes a handle out of a function that calls.
 *
 * A Proxy, since which symbols there are is not known before the call: each generation has its own.
 */
export function pluginHandle<T>(call: CallCurrent, options: CallOptions): PluginHandle<T> {
  const functions = new Map<string, (...args: unknown[]) => unknown>();
  return new Proxy(Object.freeze({}) as PluginHandle<T>, {
    get: (_, symbol) => {
      // A promise is asked for `then`, and no symbol of a plugin is called so.
      if (typeof symbol !== "string" || symbol === "then") return undefined;
      let fn = functions.get(symbol);
      if (!fn) {
        fn = (...args) => iterable(call(symbol, args, options));
        functions.set(symbol, fn);
      }
      return fn;
    },
  });
}

/** So that `for await (const each of handle.list())` needs no second `await`. */
function iterable(promise: Promise<unknown>): Promise<unknown> & AsyncIterable<unknown> {
  return Object.assign(promise, {
    async *[Symbol.asyncIterator]() {
      yield* await promise as AsyncIterable<unknown>;
    },
  });
}
