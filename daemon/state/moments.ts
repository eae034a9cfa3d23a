/** So long after a load it may still be that which ends the process, in milliseconds. */
const MOMENT = 1_000;
/** So many of them what is to be alone waits at most, where ever more is loaded. */
const MOST = 5;

/** What has just been loaded, each for a moment. */
export class Moments {
  readonly #fresh = new Map<Promise<void>, () => void>();

  /** Resolves when what is loaded now has stood for a moment, or {@linkcode end} is called. */
  async stand(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, MOMENT);
    // It keeps no program from its end.
    Deno.unrefTimer(timer);
    this.#fresh.set(promise, resolve);
    await promise;
    clearTimeout(timer);
    this.#fresh.delete(promise);
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
