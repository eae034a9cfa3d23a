import { currentScope, enterPlugin, type PluginScope, runMethodInScope } from "./plugin_scope.ts";
import { replace } from "./_replace.ts";

type Source = UnderlyingDefaultSource<unknown>;
type Method = (...args: unknown[]) => unknown;

/**
 * Lets what a plugin's stream does when it is read or cancelled be the plugin's; answers with how to
 * stop.
 *
 * Whoever reads calls it: `Deno.serve`, in whatever async context is left there. What is rejected then
 * without a stack could else be traced to nobody, or to who has come last.
 */
export function guardStreams(): () => void {
  const holder = globalThis as { ReadableStream: typeof ReadableStream };
  const { ReadableStream: original } = holder;
  let active = true;
  const guarding: typeof ReadableStream = new Proxy(original, {
    construct(target, [source, ...rest]: unknown[], newTarget) {
      const scope = active ? currentScope() : undefined;
      const own = scope && isObject(source) ? guarded(source, scope) : source;
      return Reflect.construct(target, [own, ...rest], newTarget === guarding ? target : newTarget);
    },
  });
  // By which libraries tell a stream.
  const prototype = original.prototype as { constructor: unknown };
  if (!replace(prototype, "constructor", guarding)) return () => {};
  if (!replace(holder, "ReadableStream", guarding)) replace(prototype, "constructor", original);
  return () => {
    active = false;
    const isOurs = Object.is(prototype.constructor, guarding);
    // Both or none: what was frozen since then stays.
    if (isOurs && !replace(prototype, "constructor", original)) return;
    // Someone may have wrapped it since: then it stays, and passes everything on.
    if (holder.ReadableStream !== guarding) return;
    if (!replace(holder, "ReadableStream", original) && isOurs) {
      replace(prototype, "constructor", guarding);
    }
  };
}

function isObject(source: unknown): source is Source {
  return typeof source === "object" && source !== null;
}

/** Its functions are called on the source itself, which may have private fields. */
function guarded(source: Source, scope: PluginScope): object {
  return new Proxy({}, {
    get(_target, key) {
      const value: unknown = Reflect.get(source, key);
      if (typeof value !== "function") return value;
      if (key !== "cancel" && key !== "pull") return value.bind(source);
      return (...args: unknown[]) =>
        currentScope() === scope
          ? enterPlugin(value as Method, source, args)
          : runMethodInScope(scope, source, value as Method, ...args);
    },
    has: (_target, key) => Reflect.has(source, key),
  });
}
