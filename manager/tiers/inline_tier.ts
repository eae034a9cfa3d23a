import { type Hook, HotplugError, isHook } from "../../artifact/mod.ts";
import { type FetchHandler, type FetchInfo, isFetchHandler } from "../../plugin/mod.ts";
import { StillSentError } from "../askers_fault.ts";
import { withDeadline } from "../deadline.ts";
import { isStillSent } from "./is_still_sent.ts";
import { importModule } from "./import_module.ts";
import type { ModuleNamespace } from "./import_url.ts";
import type { CallLimits, Instance, InstanceRequest } from "./instance.ts";
import {
  detachedCall,
  type PluginScope,
  runInScope,
  runMethodInScope,
} from "../guards/plugin_scope.ts";
import { readAhead } from "./read_ahead.ts";
import { evaluateModule } from "./reclaimable_module.ts";
import type { StackMapper } from "./stack_mapper.ts";

/** How many bytes a module takes in memory for each of its file's, as measured on Deno 2.9. */
const BYTES_PER_BYTE = 5;

type Answer = Response | Promise<Response>;
type Fn = (...args: unknown[]) => unknown;

/** Starts a module in this isolate. */
export async function startInline(request: InstanceRequest): Promise<Instance> {
  const { location: { file }, artifact, placed, options, settings, scope, mapper, signal } =
    request;
  const patience = { milliseconds: options.loadDeadline, signal };
  const bytes = artifact.content.length * BYTES_PER_BYTE;
  if (settings.loader === "import") {
    await readAhead({ ...placed, size: artifact.content.length });
    const module = await importModule(placed.url, file, scope, patience);
    return inlineInstance(module, scope, bytes);
  }
  const module = await evaluateModule({ artifact, url: placed.url, file, scope, mapper, patience });
  return inlineInstance(module, scope, bytes, mapper);
}

function inlineInstance(
  module: ModuleNamespace,
  scope: PluginScope,
  bytes: number,
  mapper?: StackMapper,
): Instance {
  let exports: ModuleNamespace | undefined = module;
  const names = Object.keys(module);
  const symbols = names.filter((each) => !isHook(each)).sort();
  const run = (fn: unknown, args: readonly unknown[]): unknown => {
    if (!mapper) return runInScope(scope, fn as Fn, ...args);
    return mapper.run(() => runInScope(scope, fn as Fn, ...args));
  };
  const callDetached = detachedCall(scope);
  const handle = (request: Request, info: FetchInfo, detached: boolean): Answer => {
    const handler = exports?.default as FetchHandler;
    const enter = (): Answer =>
      detached
        ? callDetached(handler, handler.fetch, request, info)
        : runMethodInScope(scope, handler, handler.fetch, request, info);
    return mapper ? mapper.run(enter) : enter();
  };
  return {
    tier: "inline",
    symbols,
    hooks: new Set(names.filter((each): each is Hook => isHook(each))),
    get alive() {
      return exports !== undefined;
    },
    bytes,
    serves: isFetchHandler(module.default),
    isFunction: (symbol) => typeof exports?.[symbol] === "function",
    value: (symbol) => exports?.[symbol],
    // deno-lint-ignore require-await -- what the function throws at once is a rejection, too
    call: async (symbol, args, limits) => bounded(run(exports?.[symbol], args), symbol, limits),
    fetch: (request, info, limits, { detached }) => {
      const answer = handle(request, info, detached);
      return isThenable(answer)
        ? Promise.resolve(bounded(answer, "default.fetch", limits, request) as Promise<Response>)
        : answer;
    },
    // deno-lint-ignore require-await
    hook: async (name, context) => {
      const hook = exports?.[name];
      if (hook === undefined) return undefined;
      if (typeof hook !== "function") throw new TypeError(`its export "${name}" is no function`);
      return run(hook, context ? [context] : []);
    },
    // What runs here can't be ended, and does not end by itself.
    hookLate: () => {},
    rest: () => Promise.resolve(),
    close: () => {
      // The module itself is V8's to give back, or not; nothing here keeps it.
      exports = undefined;
      return Promise.resolve();
    },
  };
}

/** Without bounds it costs nothing: what an answer does not hold back is not waited for. */
function bounded(
  answer: unknown,
  symbol: string,
  { signal, deadline }: CallLimits,
  request?: Request,
): unknown {
  if (deadline === Infinity && !signal) return answer;
  const late = (): Error =>
    new HotplugError("deadline", `The call of "${symbol}" did not end within ${deadline} ms`, {
      cause: request && isStillSent(request) ? new StillSentError() : undefined,
    });
  const waiting = Promise.resolve(answer);
  return withDeadline(waiting, {
    milliseconds: deadline,
    late,
    signal: signal ?? NEVER,
  });
}

function isThenable(answer: unknown): boolean {
  return typeof (answer as { readonly then?: unknown } | null | undefined)?.then === "function";
}

const NEVER = new AbortController().signal;
