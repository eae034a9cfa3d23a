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

/** So deep goes a record's structure as it is. */
const DEPTH = 4;

/** A record goes as JSON: what that does not take, and what is deeper, goes as it would be shown. */
function plain(
  properties: Readonly<Record<string, unknown>>,
  depth = DEPTH,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [key, plainValue(value, depth)]),
  );
}

function plainValue(value: unknown, depth: number): unknown {
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return value;
  try {
    if (depth === 0 || typeof value !== "object") return show(value);
    if (Array.isArray(value)) return value.map((each) => plainValue(each, depth - 1));
    return isPlain(value) ? plain(value, depth - 1) : show(value);
  } catch {
    return show(value);
  }
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
