import { blame, THREW } from "./_guard_errors.ts";
import { currentScope, type PluginScope, runMethodInScope } from "./plugin_scope.ts";
import { putInPlace } from "./_replace.ts";

type Listener = EventListenerOrEventListenerObject;
type Method = (
  this: EventTarget | undefined,
  type: string,
  listener: Listener | null,
  ...rest: unknown[]
) => void;

/** What listens in a plugin's place, and whose that is on each of its targets: the last plugin's. */
interface Guarded {
  readonly listener: EventListener;
  readonly scopes: WeakMap<object, PluginScope>;
}

/**
 * By what plugins listen with. One for all of them: a listener that several generations have in common
 * is called once, and keeps none of them.
 */
const guardedOf = new WeakMap<Listener, Guarded>();
/** Whether there is something in a plugin's place. */
let listened = false;
const removes = new WeakSet<Method>();

/**
 * Lets what plugins do when a signal is aborted, or at an event of the process, be theirs; answers with how
 * to stop.
 *
 * The runtime aborts signals by itself (`AbortSignal.timeout`, a request's) in whatever async context
 * is there then, and the reason that it makes has no frame of a plugin's: what rejects with that, and
 * is not taken, could be traced to nobody. What a listener of the event `error` throws, or an exit that it
 * calls, ends the process without another such event.
 */
export function guardListeners(): () => void {
  const undo = [AbortSignal.prototype, globalThis].flatMap((each) => {
    const holder = each as unknown as Record<string, Method>;
    return [patchAdd(holder), patchRemove(holder)];
  });
  return () => undo.forEach((restore) => restore());
}

function patchAdd(holder: Record<string, Method>): () => void {
  const { addEventListener: add } = holder;
  if (!add) return () => {};
  let active = true;
  const guarding: Method = function (type, listener, ...rest) {
    const scope = active && isListener(listener) ? currentScope() : undefined;
    const own = scope ? guarded(this ?? globalThis, listener as Listener, scope) : listener;
    add.call(this, type, own, ...rest);
  };
  const restore = putInPlace(holder, "addEventListener", guarding);
  return () => {
    active = false;
    restore();
  };
}

/** For good, once a plugin has listened: what it added it may remove when nobody guards any more. */
function patchRemove(holder: Record<string, Method>): () => void {
  const { removeEventListener: remove } = holder;
  if (!remove || removes.has(remove)) return () => {};
  const own: Method = function (type, listener, ...rest) {
    remove.call(this, type, listener, ...rest);
    const known = isListener(listener) ? guardedOf.get(listener) : undefined;
    if (known) remove.call(this, type, known.listener, ...rest);
  };
  removes.add(own);
  const restore = putInPlace(holder, "removeEventListener", own);
  return () => {
    if (!listened) restore();
  };
}

function isListener(listener: unknown): listener is Listener {
  return typeof listener === "function" || typeof listener === "object" && listener !== null;
}

/** The same for the same listener: one that is added twice is called once. */
function guarded(target: object, listener: Listener, scope: PluginScope): EventListener {
  listened = true;
  let known = guardedOf.get(listener);
  if (!known) guardedOf.set(listener, known = guard(listener));
  known.scopes.set(target, scope);
  return known.listener;
}

function guard(own: Listener): Guarded {
  const scopes = new WeakMap<object, PluginScope>();
  return {
    scopes,
    listener(this: object, event) {
      const [self, method] = typeof own === "function" ? [this, own] : [own, own.handleEvent];
      // Nobody hears of it then, as without guards.
      if (typeof method !== "function") return;
      // Who has wrapped it may call it as a plain function.
      const scope = scopes.get(event.currentTarget ?? this ?? globalThis);
      if (!scope) return method.call(self, event);
      try {
        runMethodInScope(scope, self, method, event);
      } catch (error) {
        if (!blame(error, THREW, () => scope)) throw error;
      }
    },
  };
}
