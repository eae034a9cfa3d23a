import process from "node:process";
import { blame, THREW } from "./_guard_errors.ts";
import { currentScope, enterPlugin } from "./plugin_scope.ts";
import { putInPlace } from "./_replace.ts";

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
  const undo = [...SCHEDULERS.map((name) => patch(globalThis, name)), patch(process, "nextTick")];
  return () => undo.forEach((restore) => restore());
}

function patch(object: object, name: string): () => void {
  const holder = object as Record<string, Scheduler>;
  const original = holder[name];
  if (!original) return () => {};
  let active = true;
  const guarded: Scheduler = (callback, ...rest) => {
    const scope = active ? currentScope() : undefined;
    if (!scope || typeof callback !== "function") return original(callback, ...rest);
    return original(function (this: unknown, ...args: unknown[]): unknown {
      try {
        return enterPlugin(callback, this, args);
      } catch (error) {
        if (!blame(error, THREW, () => scope)) throw error;
        return undefined;
      }
    }, ...rest);
  };
  // util.promisify(setTimeout) looks for its own symbol on the function.
  Object.defineProperties(guarded, Object.getOwnPropertyDescriptors(original));
  const restore = putInPlace(holder, name, guarded);
  return () => {
    active = false;
    restore();
  };
}
