import type { WatchEvent } from "../events.ts";
import type { WatchStatus } from "../status.ts";

/** Tells how the watching of each directory stands, where that is news. */
export class WatchLog {
  readonly #began = new Date().toISOString();
  readonly #states = new Map<string, Pick<WatchEvent, "state" | "message" | "time">>();

  /** The event for what a watch found; undefined where it was told already. */
  watched(
    directory: string,
    state: WatchEvent["state"],
    message?: string,
  ): WatchEvent | undefined {
    const before = this.#states.get(directory);
    if (before?.state === state && before.message === message) return undefined;
    const time = new Date().toISOString();
    const news = { state, ...(message !== undefined && { message }) };
    this.#states.set(directory, { ...news, time });
    return { type: "watch", time, directory, ...news };
  }

  /** The event for a directory that can't be listed, where its watch has not told why already. */
  unlisted(directory: string, message: string): WatchEvent | undefined {
    if (this.#states.get(directory)?.state === "error") return undefined;
    return this.watched(directory, "error", message);
  }

  /** How the watching of the directory stands; before anything was found, it is not there. */
  status(directory: string): WatchStatus {
    const { time, ...news } = this.#states.get(directory) ?? {
      state: "missing" as const,
      time: this.#began,
    };
    return {
      directory,
      mode: news.state === "watching" ? "events" : "polling",
      ...news,
      since: time,
    };
  }
}
