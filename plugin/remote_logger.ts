import type { LogMethod, PluginLogger } from "./logger.ts";
import { plainProperties } from "./plain_properties.ts";
import type { LogLevel, LogRecord } from "./protocol.ts";

/** The logger of a plugin that runs on its own: its records go to the host, which knows its name. */
export function remoteLogger(log: (record: LogRecord) => void): PluginLogger {
  const method = (level: LogLevel): LogMethod => (message, properties) =>
    log({
      level,
      source: "logger",
      message: String(message),
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
