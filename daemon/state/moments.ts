/** So long after a load it may still be that which ends the process, in milliseconds. */
const MOMENT = 1_000;
/** So many of them what is to be alone waits at most, where ever more is loaded. */
const MOST = 5;

/** What has just been loaded, each for a moment. */
export class Moments {
  readonly #fresh = new Map<Promise<void>, () => void>();

  /** Calls the function when what is loaded now has stood for a moment, or at {@linkcode end}. */
  stand(after: () => void): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, MOMENT);
    // It keeps no program from its end.
    Deno.unrefTimer(timer);
    const standing = promise.then(() => {
      clearTimeout(timer);
      this.#fresh.delete(standing);
      after();
    });
    this.#fresh.set(standing, resolve);
  }

  /** Resolves once all has stood; where ever more is loaded, after some moments. */
  async quiet(): Promise<void> {
    for (const end = performance.now() + MOST * MOMENT; performance.now() < end;) {
      if (this.#fresh.size === 0) return;
      await Promise.all(this.#fresh.keys());
    }
  }

  /** Ends all that there are. */
  async end(): Promise<void> {
    for (const end of this.#fresh.values()) end();
    await Promise.all(this.#fresh.keys());
  }
}
