import { type FileMark, unsettledFor } from "../../manager/opening/settle.ts";

/** A file as it was seen first in the state that it is in. */
interface Seen {
  readonly text: string;
  /** When that was, by the process's own clock. */
  readonly since: number;
}

/**
 * Which files stand still.
 *
 * By their times, and where these lie in the future, as after a clock was set back, by how long they
 * have been seen as they are.
 */
export class Settling {
  readonly #settle: number;
  #seen = new Map<string, Seen>();

  /** Makes one that has seen nothing; how long a file must stand still is in milliseconds. */
  constructor(settle: number) {
    this.#settle = settle;
  }

  /** How long a file must still be watched, in milliseconds; another text means another state of it. */
  needs(path: string, text: string, mark: FileMark): number {
    const wait = unsettledFor(mark, this.#settle, Date.now());
    if (wait === 0) return 0;
    const now = performance.now();
    let seen = this.#seen.get(path);
    if (seen?.text !== text) this.#seen.set(path, seen = { text, since: now });
    return Math.max(0, Math.min(wait, this.#settle - (now - seen.since)));
  }

  /** Forgets all other files. */
  keep(paths: readonly string[]): void {
    if (this.#seen.size === 0) return;
    const kept = new Set(paths);
    for (const path of this.#seen.keys()) if (!kept.has(path)) this.#seen.delete(path);
  }
}
