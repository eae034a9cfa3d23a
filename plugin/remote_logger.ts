import type { LogMethod, PluginLogger } from "./logger.ts";
import { plainProperties, UNSHOWABLE } from "./plain_properties.ts";
import type { LogLevel, LogRecord } from "./protocol.ts";

/** The logger of a plugin that runs on its own: its records go to the host, which knows its name. */
export function remoteLogger(log: (record: LogRecord) => void): PluginLogger {
  const method = (level: LogLevel): LogMethod => (message, properties) =>
    log({
      level,
      source: "logger",
      message: textOf(message),
      ...(properties && { properties: plainProperties(properties) }),
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

/** A plugin is not to fail for what it logs. */
function textOf(message: unknown): string {
  try {
    return String(message);
  } catch {
    return UNSHOWABLE;
  }
}
