import { MAX_TIMER } from "./settings/range.ts";

interface Watched {
  at: number;
  readonly late: () => void;
  /** Whether it was put off, since this process was busy itself. */
  wasPutOff?: true;
}

/** A timer that fires so much later has waited for a process that was busy itself, in milliseconds. */
const STALL = 20;
/** In this time what came meanwhile is read, and what was to come comes, in milliseconds. */
const GRACE = 1_000;

/**
 * How much longer to wait, in milliseconds, for what was to come by then: where this process was busy itself
 * that may be here, unread; 0 where it was not.
 */
export function graceAfter(due: number): number {
  return performance.now() - due > STALL ? GRACE : 0;
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
    const watched: Watched = { at: performance.now() + milliseconds, late };
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
      if (each.at <= now && !each.wasPutOff) putOff(each, now);
      if (each.at <= now) {
        this.#watched.delete(each);
        each.late();
      } else next = Math.min(next, each.at);
    }
    if (next < this.#next) this.#arm(next);
  }
}

function putOff(each: Watched, now: number): void {
  const grace = graceAfter(each.at);
  if (grace === 0) return;
  each.at = now + grace;
  each.wasPutOff = true;
}
