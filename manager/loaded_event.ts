import type { LoadedEvent } from "./events.ts";
import type { Generation } from "./generations/generation.ts";

/** The event of a flip; the duration is that since `open` began, in milliseconds. */
export function loadedEvent(
  { name, scn, path, sha256 }: Generation,
  previous: Generation | undefined,
  durationMs: number,
): LoadedEvent {
  return {
    type: "loaded",
    time: new Date().toISOString(),
    name,
    scn,
    path,
    sha256,
    ...(previous && { previous: previous.scn }),
    durationMs: Math.round(durationMs * 1000) / 1000,
  };
}
