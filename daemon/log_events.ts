import { getLogger, type Logger } from "@logtape/logtape";
import type { DaemonEvent } from "./events.ts";
import { isLogged, type LogLevel } from "./log_level.ts";

/** The category that a daemon logs in. */
export const DAEMON_CATEGORY: readonly string[] = ["hotplug", "daemon"];

/** What logs a daemon's events, each as a record with the event as `event`. */
export function eventLogger(level: () => LogLevel): (event: DaemonEvent) => void {
  const logger = getLogger(DAEMON_CATEGORY);
  return (event) => {
    const weight = weightOf(event);
    if (isLogged(weight, level())) write(logger, weight, event);
  };
}

function write(logger: Logger, weight: LogLevel, event: DaemonEvent): void {
  const message = "message" in event && event.message !== undefined ? event.message : event.type;
  const name = weight === "warning" ? "warn" : weight;
  // As a value, since what a plugin says may hold braces.
  logger[name]("{text}", { text: message, event });
}

/** How grave an event is. */
export function weightOf(event: DaemonEvent): LogLevel {
  switch (event.type) {
    case "failed":
    case "conflict":
    case "quarantined":
      return "error";
    case "rolled-back":
    case "skipped":
    case "deleted":
    case "suspected":
    case "permissions":
    case "restarted":
      return "warning";
    case "memory":
      return event.level === "ok" ? "info" : event.level === "hard" ? "error" : "warning";
    case "config":
      return event.state === "rejected" ? "error" : "info";
    case "state":
      return event.state === "writable" ? "info" : "warning";
    case "watch":
      return event.state === "watching" ? "info" : "warning";
    case "loaded":
    case "parked":
    case "retired":
    case "released":
    case "frozen":
    case "thawed":
    case "retried":
    case "ready":
    case "unquarantined":
    case "stopped":
      return "info";
    default:
      return event satisfies never;
  }
}
