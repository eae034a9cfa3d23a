/** How much a plugin may log at once, in characters. */
const BURST = 1024 * 1024;

/** How much it may log a second in the long run, in characters. */
const PER_SECOND = 256 * 1024;

/** The longest record, in characters; the rest of it is cut off. */
export const MAX_RECORD = 16 * 1024;

/**
 * Lets so much of a log through, and counts the rest: a plugin that prints a gigabyte costs its host
 * nothing.
 */
export class LogBudget {
  readonly #now: () => number;
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #last: number;
  #dropped = 0;

  /** Makes a budget that is full. */
  constructor(
    now: () => number = () => performance.now(),
    { perSecond = PER_SECOND, burst = BURST }: { perSecond?: number; burst?: number } = {},
  ) {
    this.#now = now;
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
    this.#last = now();
  }

  /** Whether a record of this length is let through; if not, it is counted as dropped. */
  take(length: number): boolean {
    const now = this.#now();
    this.#left = Math.min(this.#burst, this.#left + (now - this.#last) / 1000 * this.#perSecond);
    this.#last = now;
    if (length > this.#left) {
      this.#dropped += length;
      return false;
    }
    this.#left -= length;
    return true;
  }

  /** Counts what was cut off. */
  drop(length: number): void {
    this.#dropped += length;
  }

  /** How much was dropped since the last time it was asked. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }
}
