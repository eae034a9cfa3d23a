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

/** A record goes as JSON: what that does not take goes as it would be shown. */
function plain(properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [key, isJson(value) ? value : show(value)]),
  );
}

function isJson(value: unknown): boolean {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function show(value: unknown): string {
  try {
    return Deno.inspect(value, { depth: 4 });
  } catch {
    return "what can't be shown";
  }
}
