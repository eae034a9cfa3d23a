import { pause } from "../deadline.ts";

const FIRST = 100;
const LONGEST = 30_000;

/** After this time without a crash the pauses begin anew, in milliseconds. */
const STEADY = 60_000;

/** How long to wait before a crashed process or worker is started again: longer each time. */
export class RestartPause {
  #next = FIRST;
  #startedAt = -Infinity;

  /** Tells that it runs. */
  started(): void {
    this.#startedAt = performance.now();
  }

  /** Waits; rejects with the signal's reason once it is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    if (performance.now() - this.#startedAt > STEADY) this.#next = FIRST;
    const milliseconds = this.#next;
    this.#next = Math.min(LONGEST, milliseconds * 2);
    await pause(milliseconds, signal);
  }
}
