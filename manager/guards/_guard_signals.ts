import { blame, THREW } from "./_guard_errors.ts";
import { currentScope, type PluginScope, runMethodInScope } from "./plugin_scope.ts";

type Listener = EventListenerOrEventListenerObject;
type Method = (
  this: AbortSignal,
  type: string,
  listener: Listener | null,
  ...rest: unknown[]
) => void;

/** What plugins listen with, and what listens in its place, by the scope that it is of. */
const guardedOf = new WeakMap<Listener, Map<PluginScope, EventListener>>();

/**
 * Lets what plugins do when a signal is aborted be theirs; answers with how to stop.
 *
 * The runtime aborts signals by itself (`AbortSignal.timeout`, a request's) in whatever async context
 * is there then, and the reason that it makes has no frame of a plugin's: what rejects with that, and
 * is not taken, could be traced to nobody.
 */
export function guardSignals(): () => void {
  const holder = AbortSignal.prototype as unknown as Record<string, Method>;
  const { addEventListener: add, removeEventListener: remove } = holder;
  if (!add || !remove) return () => {};
  let active = true;
  holder.addEventListener = function (type, listener, ...rest) {
    const scope = active && isListener(listener) ? currentScope() : undefined;
    add.call(this, type, scope ? guarded(listener as Listener, scope) : listener, ...rest);
  };
  holder.removeEventListener = function (type, listener, ...rest) {
    remove.call(this, type, listener, ...rest);
    const known = isListener(listener) ? guardedOf.get(listener) : undefined;
    for (const each of known?.values() ?? []) remove.call(this, type, each, ...rest);
  };
  const own = { add: holder.addEventListener, remove: holder.removeEventListener };
  return () => {
    active = false;
    // Someone may have wrapped them since: then they stay, and pass everything on.
    if (holder.addEventListener === own.add) holder.addEventListener = add;
    if (holder.removeEventListener === own.remove) holder.removeEventListener = remove;
  };
}

function isListener(listener: unknown): listener is Listener {
  return typeof listener === "function" || typeof listener === "object" && listener !== null;
}

/** The same for the same listener: one that is added twice is called once. */
function guarded(listener: Listener, scope: PluginScope): EventListener {
  let known = guardedOf.get(listener);
  if (!known) guardedOf.set(listener, known = new Map());
  let own = known.get(scope);
  if (!own) known.set(scope, own = guard(listener, scope));
  return own;
}

function guard(listener: Listener, scope: PluginScope): EventListener {
  return function (this: unknown, event) {
    try {
      const isFunction = typeof listener === "function";
      const method = isFunction ? listener : listener.handleEvent;
      runMethodInScope(scope, isFunction ? this as object : listener, method, event);
    } catch (error) {
      if (!blame(error, THREW, () => scope)) throw error;
    }
  };
}
