import type { ReadyEvent, StoppedEvent } from "./events.ts";

/** An event about the end of a start that began at that time of `performance.now()`. */
export function readyEvent(
  watch: readonly string[],
  plugins: readonly string[],
  began: number,
): ReadyEvent {
  const durationMs = Math.round((performance.now() - began) * 1000) / 1000;
  return { type: "ready", time: new Date().toISOString(), watch, plugins, durationMs };
}

/** An event about the end. */
export function stoppedEvent(): StoppedEvent {
  return { type: "stopped", time: new Date().toISOString() };
}
