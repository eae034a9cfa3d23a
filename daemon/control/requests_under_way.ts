/** The requests that are not answered to the end of their body. */
export class RequestsUnderWay {
  /** What settles once each is over, with how to answer it at once. */
  readonly #all = new Map<Promise<void>, () => void>();

  /**
   * Adds one, by what settles once it is over, well or not. What answers it at once does nothing where it
   * is answered already.
   */
  add(completed: Promise<unknown>, answer: () => void): void {
    const over = completed.then(() => {}, () => {}).finally(() => this.#all.delete(over));
    this.#all.set(over, answer);
  }

  /** Answers all at once. */
  giveUp(): void {
    for (const answer of [...this.#all.values()]) answer();
  }

  /**
   * Resolves once there is none any more, to true, or when the time is over, in milliseconds, to false.
   */
  async settled(limit: number): Promise<boolean> {
    const late = Promise.withResolvers<true>();
    const timer = setTimeout(() => late.resolve(true), limit);
    while (this.#all.size > 0) {
      if (await Promise.race([late.promise, Promise.all(this.#all.keys())]) === true) break;
    }
    clearTimeout(timer);
    return this.#all.size === 0;
  }
}
