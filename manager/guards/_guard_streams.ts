import { currentScope, type PluginScope, runMethodInScope } from "./plugin_scope.ts";

type Source = UnderlyingDefaultSource<unknown>;

/**
 * Lets what a plugin's stream does when it is cancelled be the plugin's; answers with how to stop.
 *
 * Whoever reads cancels: `Deno.serve`, once a client has gone, in whatever async context is left there.
 * What is rejected then without a stack could else be traced to nobody, or to who has come last. A
 * `pull` that is not the first is called in the context of the one before it.
 */
export function guardStreams(): () => void {
  const holder = globalThis as { ReadableStream: typeof ReadableStream };
  const { ReadableStream: original } = holder;
  let active = true;
  const guarding: typeof ReadableStream = new Proxy(original, {
    construct(target, [source, ...rest]: unknown[], newTarget) {
      const scope = active ? currentScope() : undefined;
      const own = scope && hasCancel(source) ? guarded(source, scope) : source;
      return Reflect.construct(target, [own, ...rest], newTarget === guarding ? target : newTarget);
    },
  });
  holder.ReadableStream = guarding;
  // By which libraries tell a stream.
  const prototype = original.prototype as { constructor: unknown };
  prototype.constructor = guarding;
  return () => {
    active = false;
    if (Object.is(prototype.constructor, guarding)) prototype.constructor = original;
    // Someone may have wrapped it since: then it stays, and passes everything on.
    if (holder.ReadableStream === guarding) holder.ReadableStream = original;
  };
}

function hasCancel(source: unknown): source is Source {
  try {
    return typeof (source as Source | null | undefined)?.cancel === "function";
  } catch {
    // A getter that throws: it is the constructor's to find that out.
    return false;
  }
}

/** Its functions are called on the source itself, which may have private fields. */
function guarded(source: Source, scope: PluginScope): object {
  return new Proxy({}, {
    get(_target, key) {
      const value: unknown = Reflect.get(source, key);
      if (typeof value !== "function") return value;
      if (key !== "cancel") return value.bind(source);
      return (...args: unknown[]) =>
        runMethodInScope(scope, source, value as (...args: unknown[]) => unknown, ...args);
    },
    has: (_target, key) => Reflect.has(source, key),
  });
}
