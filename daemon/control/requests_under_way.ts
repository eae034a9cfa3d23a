/** The requests that are not answered to the end of their body. */
export class RequestsUnderWay {
  readonly #all = new Set<Promise<void>>();

  /** Adds one, by what settles once it is over, well or not. */
  add(completed: Promise<unknown>): void {
    const over = completed.then(() => {}, () => {}).finally(() => this.#all.delete(over));
    this.#all.add(over);
  }

  /** Resolves once there is none any more, or the time is over, in milliseconds. */
  async settled(limit: number): Promise<void> {
    const late = Promise.withResolvers<true>();
    const timer = setTimeout(() => late.resolve(true), limit);
    while (this.#all.size > 0) {
      if (await Promise.race([late.promise, Promise.all(this.#all)]) === true) break;
    }
    clearTimeout(timer);
  }
}
