/** Places that are taken in the order of who asks. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  /** Begins with all of them free. */
  constructor(count: number) {
    this.#free = count;
  }

  /** How many wait for one. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes one; disposing of it gives it back. Rejects with the signal's reason if that comes first. */
  async take(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return this.#slot();
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const next = (): void => resolve();
    const leave = (): void => {
      // Who was given one in the same moment gives it on.
      if (!this.#waiting.delete(next)) this.#give();
      reject(signal.reason);
    };
    this.#waiting.add(next);
    signal.addEventListener("abort", leave, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
    return this.#slot();
  }

  #slot(): Disposable {
    let given = false;
    return {
      [Symbol.dispose]: () => {
        if (!given) this.#give();
        given = true;
      },
    };
  }

  #give(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
