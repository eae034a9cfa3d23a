import { AsyncLocalStorage } from "node:async_hooks";
import { clearImmediate, setImmediate } from "node:timers";

/** Calls a function in an async context; what it throws is thrown. */
export type ContextEntry = <A extends unknown[], T>(fn: (...args: A) => T, ...args: A) => T;

/** Runs in the context of the program's start, in which nobody has stored anything. */
const runAtRoot = AsyncLocalStorage.snapshot();

/**
 * A way into an async context that has nothing but the store: made once, entered often.
 *
 * `run` makes a context each time, and an entry of a `WeakMap` with it, for which the garbage collector
 * pays once more. An immediate is the one thing of Deno 2.9 that enters a context it has kept without
 * making another (`AsyncResource` makes one): it never comes due here, its callback is called by hand.
 * That is no promise of Deno's; where it proves otherwise, it is `run`.
 */
export function contextEntry<S>(storage: AsyncLocalStorage<S>, store: S): ContextEntry {
  const run: ContextEntry = (fn, ...args) => storage.run(store, fn, ...args);
  const immediate = runAtRoot(() => run(setImmediate, call as () => void)) as {
    readonly _onImmediate?: unknown;
  };
  const entry = immediate._onImmediate;
  clearImmediate(immediate as ReturnType<typeof setImmediate>);
  return isEntry(entry, storage, store) ? entry : run;
}

function call<A extends unknown[], T>(fn: (...args: A) => T, ...args: A): T {
  return fn(...args);
}

function isEntry<S>(
  entry: unknown,
  storage: AsyncLocalStorage<S>,
  store: S,
): entry is ContextEntry {
  const given = {};
  const before = storage.getStore();
  try {
    const seen = (entry as ContextEntry)((arg) => [storage.getStore(), arg], given);
    return seen[0] === store && seen[1] === given && storage.getStore() === before;
  } catch {
    return false;
  }
}
