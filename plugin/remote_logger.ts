import { MAX_RECORD } from "./log_budget.ts";
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
const UNSHOWABLE = "what can't be shown";

/**
 * A record goes as JSON: what that does not take, and what is deeper or larger, goes as it would be shown,
 * and no more of all that than of a message. The host reads what any plugin logs, whether it writes that
 * down or not; and to look at what is linked to and fro takes a time with no end.
 */
function plain(properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
  let values = MOST;
  let characters = MAX_RECORD;

  const text = (whole: string): string => {
    const part = whole.slice(0, characters);
    characters -= part.length;
    const rest = whole.length - part.length;
    return rest === 0 ? part : `${part}… (${rest} characters more)`;
  };
  const shown = (value: unknown): string => characters > 0 ? text(show(value)) : "…";
  const valueOf = (value: unknown, depth: number): unknown => {
    if (typeof value === "string") return text(value);
    if (value === null || typeof value === "number" || typeof value === "boolean") return value;
    try {
      const isList = Array.isArray(value);
      if (depth === 0 || !isList && !isPlain(value)) return shown(value);
      const size = isList ? value.length : Object.keys(value).length;
      if (size > WIDTH || size > values) return shown(value);
      return isList
        ? Array.from({ length: size }, (_, at) => member(value, at, depth - 1))
        : members(value, depth - 1);
    } catch {
      return shown(value);
    }
  };
  const member = <K extends PropertyKey>(
    value: Readonly<Record<K, unknown>>,
    key: K,
    depth: number,
  ): unknown => {
    values--;
    try {
      return valueOf(value[key], depth);
    } catch {
      return UNSHOWABLE;
    }
  };
  const members = (value: Readonly<Record<string, unknown>>, depth: number) =>
    Object.fromEntries(
      Object.keys(value).slice(0, values).map((key) => [text(key), member(value, key, depth)]),
    );

  try {
    return members(properties, DEPTH);
  } catch {
    // Not even its names: a plugin is not to fail for what it logs.
    return {};
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A level of it: each further one takes a hundred times as long. */
function show(value: unknown): string {
  try {
    return Deno.inspect(value, { depth: 1 });
  } catch {
    return UNSHOWABLE;
  }
}
