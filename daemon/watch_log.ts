import type { WatchEvent } from "./events.ts";

/** Tells how the watching of each directory stands, where that is news. */
export class WatchLog {
  readonly #states = new Map<string, Pick<WatchEvent, "state" | "message">>();

  /** The event for what a watch found; undefined where it was told already. */
  watched(
    directory: string,
    state: WatchEvent["state"],
    message?: string,
  ): WatchEvent | undefined {
    const before = this.#states.get(directory);
    if (before?.state === state && before.message === message) return undefined;
    this.#states.set(directory, { state, message });
    const time = new Date().toISOString();
    return { type: "watch", time, directory, state, ...(message !== undefined && { message }) };
  }

  /** The event for a directory that can't be listed, where its watch has not told why already. */
  unlisted(directory: string, message: string): WatchEvent | undefined {
    if (this.#states.get(directory)?.state === "error") return undefined;
    return this.watched(directory, "error", message);
  }
}
