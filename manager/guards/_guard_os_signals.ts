import { blame, THREW } from "./_guard_errors.ts";
import { callingScope, type PluginScope, runInScope } from "./plugin_scope.ts";
import { putInPlace } from "./_replace.ts";

type Listener = (...args: unknown[]) => void;
type Method = (signal: Deno.Signal, listener: Listener) => void;
type Holder = Record<"addSignalListener" | "removeSignalListener", Method>;

/** What listens in a plugin's place, and whose that is: the last plugin's that listened with it. */
interface Guarded {
  readonly listener: Listener;
  scope: PluginScope;
}

const guardedOf = new WeakMap<Listener, Guarded>();
/** Whether there is something in a plugin's place. */
let listened = false;
let guarding = false;
let removes: Method | undefined;

/**
 * Lets what plugins do at a signal of the system be theirs, `process.on("SIGTERM", process.exit)` too, which
 * the runtime calls in no async context and with no frame of a plugin's; answers with how to stop.
 */
export function guardOsSignals(): () => void {
  const holder = Deno as unknown as Holder;
  const { addSignalListener: add } = holder;
  const restoreRemove = patchRemove(holder);
  let active = guarding = true;
  // `process.on` comes here as well.
  const guardingAdd: Method = (signal, listener) => {
    const scope = active && typeof listener === "function" ? callingScope(guardingAdd) : undefined;
    add.call(Deno, signal, scope ? guarded(listener, scope) : listener);
  };
  const restoreAdd = putInPlace(holder, "addSignalListener", guardingAdd);
  return () => {
    active = guarding = false;
    restoreAdd();
    restoreRemove();
  };
}

/** For good, once a plugin has listened: what it added it may remove when nobody guards any more. */
function patchRemove(holder: Holder): () => void {
  const { removeSignalListener: remove } = holder;
  if (remove === removes) return () => {};
  const own: Method = removes = (signal, listener) => {
    remove.call(Deno, signal, listener);
    const known = typeof listener === "function" ? guardedOf.get(listener) : undefined;
    if (known) remove.call(Deno, signal, known.listener);
  };
  const restore = putInPlace(holder, "removeSignalListener", own);
  return () => {
    if (!listened) restore();
  };
}

/** The same for the same listener: one that is added twice is called once. */
function guarded(own: Listener, scope: PluginScope): Listener {
  listened = true;
  const known = guardedOf.get(own);
  if (known) {
    known.scope = scope;
    return known.listener;
  }
  const made: Guarded = {
    scope,
    listener: (...args) => {
      if (!guarding) return own(...args);
      try {
        runInScope(made.scope, own, ...args);
      } catch (error) {
        if (!blame(error, THREW, () => made.scope)) throw error;
      }
    },
  };
  guardedOf.set(own, made);
  return made.listener;
}
