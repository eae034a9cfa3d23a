import { MAX_TIMER } from "./settings/range.ts";

interface Watched {
  readonly at: number;
  readonly late: () => void;
}

/**
 * Watches deadlines with one timer for them all: one of its own costs each call more than all else
 * does, and nearly none is ever reached.
 */
export class DeadlineClock {
  readonly #watched = new Set<Watched>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #next = Infinity;

  /** Calls the function after so many milliseconds, unless what it answers with is called before. */
  watch(milliseconds: number, late: () => void): () => void {
    if (milliseconds > MAX_TIMER) return () => {};
    const watched = { at: performance.now() + milliseconds, late };
    this.#watched.add(watched);
    if (watched.at < this.#next) this.#arm(watched.at);
    return () => void this.#watched.delete(watched);
  }

  /** Forgets them all. */
  close(): void {
    clearTimeout(this.#timer);
    this.#watched.clear();
    this.#next = Infinity;
  }

  #arm(at: number): void {
    clearTimeout(this.#timer);
    this.#next = at;
    // A little later rather than earlier: then it would be armed again for nothing.
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, Math.ceil(at - performance.now())));
    Deno.unrefTimer(Number(this.#timer));
  }

  #fire(): void {
    const now = performance.now();
    this.#next = Infinity;
    let next = Infinity;
    for (const each of [...this.#watched]) {
      if (each.at <= now) {
        this.#watched.delete(each);
        each.late();
      } else next = Math.min(next, each.at);
    }
    if (next < this.#next) this.#arm(next);
  }
}
