/** What is under way in a gateway. */
export class GatewayTraffic {
  readonly #idle = Promise.withResolvers<boolean>();
  #active = 0;
  #stopped = false;

  /** Whether nothing more is taken. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** A request has come. */
  enter(): void {
    this.#active++;
  }

  /** Its answer has been sent, or can't be. */
  leave(): void {
    this.#active--;
    this.#look();
  }

  /**
   * Takes nothing more; resolves once nothing is under way, to true, or when the time is over, in
   * milliseconds, to false.
   */
  async stop(patience: number): Promise<boolean> {
    this.#stopped = true;
    this.#look();
    const timer = setTimeout(() => this.#idle.resolve(false), patience);
    const idle = await this.#idle.promise;
    clearTimeout(timer);
    return idle;
  }

  #look(): void {
    if (this.#stopped && this.#active === 0) this.#idle.resolve(true);
  }
}
