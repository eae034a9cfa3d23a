import type { Scn } from "../../artifact/mod.ts";
import type { LogLevel, LogRecord, PluginLogger } from "../../plugin/mod.ts";
import { pluginLogger } from "./plugin_logger.ts";

const METHODS: Readonly<Record<LogLevel, keyof PluginLogger>> = {
  trace: "trace",
  debug: "debug",
  info: "info",
  warning: "warn",
  error: "error",
  fatal: "fatal",
};

/** Writes what a plugin logs or prints where it runs on its own to the host's log, with name and SCN. */
export function pluginLog(name: string, scn: Scn): (record: LogRecord) => void {
  const logger = pluginLogger(name, scn);
  return ({ level, source, message, properties, dropped }) => {
    const method = Object.hasOwn(METHODS, level) ? METHODS[level] : "info";
    const text = String(message);
    // What was printed is no template.
    const template = source === "logger" ? text : text.replace(/[{}]/g, "$&$&");
    if (text !== "" || !dropped) {
      logger[method](template, { ...properties, plugin: name, scn, source });
    }
    if (!dropped) return;
    logger.warn("It printed too much: {dropped} characters were dropped", { dropped });
  };
}
