import { HotplugError } from "../artifact/mod.ts";

/** From what weight on something is logged; the words are LogTape's. */
export type LogLevel = "trace" | "debug" | "info" | "warning" | "error" | "fatal";

/** All levels, the lightest first. */
export const LOG_LEVELS: readonly LogLevel[] = [
  "trace",
  "debug",
  "info",
  "warning",
  "error",
  "fatal",
];

/**
 * Checks that it is a level.
 *
 * @throws {HotplugError} `options` where it is none.
 */
export function checkLogLevel(level: unknown): LogLevel {
  if (LOG_LEVELS.includes(level as LogLevel)) return level as LogLevel;
  throw new HotplugError(
    "options",
    `The log level is ${JSON.stringify(level)}: give one of ${LOG_LEVELS.join(", ")}`,
  );
}

/** Whether what weighs so much is logged at the level. */
export function isLogged(weight: LogLevel, level: LogLevel): boolean {
  return LOG_LEVELS.indexOf(weight) >= LOG_LEVELS.indexOf(level);
}
