import type { ErrorCode } from "../../artifact/mod.ts";
import type { ManagerEvent } from "../../manager/mod.ts";

/** What is opened again, and of whose failures only what is news is told. */
export class MutedFailures {
  readonly #muted = new Map<string, (code: ErrorCode) => boolean>();

  /** Runs the function, and of what it refuses at the path tells only that with a code that is news. */
  async mute<T>(
    path: string,
    isNews: (code: ErrorCode) => boolean,
    fn: () => Promise<T>,
  ): Promise<T> {
    this.#muted.set(path, isNews);
    try {
      return await fn();
    } finally {
      this.#muted.delete(path);
    }
  }

  /** Whether the event tells of a failure that is known. */
  isMuted(event: ManagerEvent): boolean {
    if (event.type === "loaded" || !("code" in event) || event.path === undefined) return false;
    return this.#muted.get(event.path)?.(event.code) === false;
  }
}
