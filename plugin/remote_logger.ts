import type { LogMethod, PluginLogger } from "./logger.ts";
import type { LogLevel, LogRecord } from "./protocol.ts";

/** The logger of a plugin that runs on its own: its records go to the host, which knows its name. */
export function remoteLogger(log: (record: LogRecord) => void): PluginLogger {
  const method = (level: LogLevel): LogMethod => (message, properties) =>
    log({
      level,
      source: "logger",
      message: String(message),
      ...(properties && { properties: plain(properties) }),
    });
  return {
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warning"),
    error: method("error"),
    fatal: method("fatal"),
  };
}

/** So deep goes a record's structure as it is, and so many values of it. */
const DEPTH = 4;
const MOST = 1_000;
/** So many items of a list, or of an object: as many as are shown. */
const WIDTH = 100;

/**
 * A record goes as JSON: what that does not take, and what is deeper or larger, goes as it would be shown. The
 * host reads what any plugin logs, whether it writes that down or not.
 */
function plain(properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
  let left = MOST;
  const valueOf = (value: unknown, depth: number): unknown => {
    if (value === null || ["string", "number", "boolean"].includes(typeof value)) return value;
    try {
      if (depth === 0 || typeof value !== "object") return show(value);
      const isList = Array.isArray(value);
      if (!isList && !isPlain(value)) return show(value);
      const size = isList ? value.length : Object.keys(value).length;
      if (size > WIDTH || (left -= size) < 0) return show(value);
      return isList
        ? Array.from(value, (each) => valueOf(each, depth - 1))
        : mapped(value as Record<string, unknown>, (each) => valueOf(each, depth - 1));
    } catch {
      return show(value);
    }
  };
  return mapped(properties, (value) => valueOf(value, DEPTH));
}

function mapped(
  object: Readonly<Record<string, unknown>>,
  map: (value: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function show(value: unknown): string {
  try {
    return Deno.inspect(value, { depth: 4 });
  } catch {
    return "what can't be shown";
  }
}
