import { isHook } from "../artifact/hooks.ts";
import { encode } from "./codec.ts";
import type { Functions } from "./connection.ts";
import { describeThrown } from "./error_fields.ts";
import { answerRequest, isFetchHandler, type SentRequest } from "./http_message.ts";
import type {
  ExportedValue,
  LoadedExports,
  LoadRequest,
  LogRecord,
  Pong,
  SentContext,
} from "./protocol.ts";
import { remoteLogger } from "./remote_logger.ts";

/** Imports the plugin's module: by its URL, or the one that an executable brings. */
export type ImportModule = (url: string | undefined) => Promise<object>;

/** Makes the functions that the host calls, for one module. */
export function serveModule(
  importModule: ImportModule,
  log: (record: LogRecord) => void,
): Functions {
  let module: Readonly<Record<string, unknown>> = {};
  const functionOf = (name: string): (...args: unknown[]) => unknown => {
    const value = Object.hasOwn(module, name) ? module[name] : undefined;
    if (typeof value === "function") return value as (...args: unknown[]) => unknown;
    throw new TypeError(`its export "${name}" is no function`);
  };
  return new Map<string, (...args: never[]) => unknown>([
    ["load", async ({ url }: LoadRequest): Promise<LoadedExports> => {
      module = { ...await importModule(url) };
      return describeModule(module);
    }],
    ["call", (symbol: string, args: readonly unknown[]) => functionOf(symbol)(...args)],
    ["fetch", (request: SentRequest) => {
      if (isFetchHandler(module.default)) return answerRequest(module.default, request);
      throw new TypeError("its default export has no function `fetch`");
    }],
    ["hook", (hook: string, context?: SentContext) => {
      const fn = functionOf(hook);
      return context ? fn({ ...context, logger: remoteLogger(log) }) : fn();
    }],
    ["ping", (): Pong => {
      const { heapUsed, rss } = Deno.memoryUsage();
      return { heapUsed, rss };
    }],
  ]);
}

function describeModule(module: Readonly<Record<string, unknown>>): LoadedExports {
  const names = Object.keys(module).sort();
  const symbols = names.filter((each) => !isHook(each));
  const isFunction = (name: string): boolean => typeof module[name] === "function";
  return {
    functions: symbols.filter(isFunction),
    values: new Map(
      symbols.filter((each) => !isFunction(each)).map((each) => [each, copyOf(module[each])]),
    ),
    hooks: names.filter(isHook),
    serves: isFetchHandler(module.default),
  };
}

/** Encoded for itself: one value that has no copy must not keep the others from being had. */
function copyOf(value: unknown): ExportedValue {
  try {
    return { ...encode(value) };
  } catch (error) {
    return { refused: describeThrown(error) };
  }
}
