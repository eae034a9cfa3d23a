import { reportUncaught } from "./_guard_errors.ts";
import { currentScope } from "./plugin_scope.ts";

type Callback = (...args: unknown[]) => unknown;
type Scheduler = (callback: Callback, ...rest: unknown[]) => unknown;

const SCHEDULERS = ["setTimeout", "setInterval", "setImmediate", "queueMicrotask"] as const;

/**
 * Catches what plugins throw in timers and microtasks; answers with how to stop.
 *
 * The error event would do for errors with a stack; what is thrown without one (`throw "late"`)
 * could not be traced from there, since the event runs in no async context of its own.
 */
export function guardTimers(): () => void {
  const undo = SCHEDULERS.map((name) => patch(name));
  return () => undo.forEach((restore) => restore());
}

function patch(name: typeof SCHEDULERS[number]): () => void {
  const holder = globalThis as unknown as Record<string, Scheduler>;
  const original = holder[name];
  if (!original) return () => {};
  let active = true;
  const guarded: Scheduler = (callback, ...rest) => {
    const scope = active ? currentScope() : undefined;
    if (!scope || typeof callback !== "function") return original(callback, ...rest);
    return original(function (this: unknown, ...args: unknown[]): unknown {
      try {
        return callback.apply(this, args);
      } catch (error) {
        return reportUncaught(scope, "threw an error that nobody caught", error);
      }
    }, ...rest);
  };
  // util.promisify(setTimeout) looks for its own symbol on the function.
  Object.defineProperties(guarded, Object.getOwnPropertyDescriptors(original));
  holder[name] = guarded;
  return () => {
    active = false;
    if (holder[name] === guarded) holder[name] = original;
  };
}
