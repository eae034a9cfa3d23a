/** After so long the other one follows, in milliseconds. */
const FOLLOWS = 100;

/**
 * Runs a scan when asked to: at once, one at a time, and once more for what was asked meanwhile.
 *
 * After each scan it rests for as long as the scan took, so that a burst of ten thousand hints ends
 * in a few scans and never takes more than half of a core. A scan that says so is followed by another
 * one soon.
 */
export class ScanScheduler {
  readonly #scan: () => Promise<boolean | void>;
  readonly #rest: number;
  #asked: PromiseWithResolvers<void> | undefined;
  #running: Promise<void> | undefined;
  #skipPause: (() => void) | undefined;
  #following: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /**
   * Runs this scan; rests at least so many milliseconds between two. It resolves to true where another
   * one is to follow.
   */
  constructor(scan: () => Promise<boolean | void>, rest = 2) {
    this.#scan = scan;
    this.#rest = rest;
  }

  /** Asks for a scan; resolves when one that began after this call is done. */
  request(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#asked ??= Promise.withResolvers();
    const { promise } = this.#asked;
    this.#running ??= this.#run();
    return promise;
  }

  /** Lets the running scan end, and begins no other. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#following);
    this.#skipPause?.();
    await this.#running;
    this.#asked?.resolve();
    this.#asked = undefined;
  }

  async #run(): Promise<void> {
    while (this.#asked && !this.#closed) {
      const asked = this.#asked;
      this.#asked = undefined;
      const began = performance.now();
      try {
        const isToFollow = await this.#scan();
        asked.resolve();
        if (isToFollow) this.#follow();
      } catch (error) {
        asked.reject(error);
      }
      if (!this.#closed) await this.#pause(Math.max(this.#rest, performance.now() - began));
    }
    // In the same turn as the loop's last look, so that no request falls in between.
    this.#running = undefined;
  }

  #follow(): void {
    if (this.#closed) return;
    this.#following ??= setTimeout(() => {
      this.#following = undefined;
      void this.request();
    }, FOLLOWS);
  }

  async #pause(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const skip = (): void => {
        clearTimeout(id);
        resolve();
      };
      const id = setTimeout(resolve, milliseconds);
      this.#skipPause = skip;
    });
    this.#skipPause = undefined;
  }
}
