/** Who keeps a generation from being deactivated. */
export interface Holder {
  /** A lease, a call under way, or an async iterator that a call has answered with. */
  readonly kind: "lease" | "call" | "iterator";
  /** The symbol that was called; absent for a lease. */
  readonly symbol?: string;
  /** What the holder of a lease calls itself. */
  readonly label?: string;
  /** Since when, in milliseconds since the epoch. */
  readonly since: number;
}

/** The holds on one generation. */
export class HoldBook {
  readonly #holders = new Set<Holder>();
  readonly #empty: () => void;

  /** Makes an empty book; the function is called each time the last hold ends. */
  constructor(empty: () => void) {
    this.#empty = empty;
  }

  /** How many there are. */
  get size(): number {
    return this.#holders.size;
  }

  /** Who holds it now, in the order in which they came. */
  list(): Holder[] {
    return [...this.#holders];
  }

  /** Adds a hold. */
  add(holder: Holder): void {
    this.#holders.add(holder);
  }

  /** Ends the hold; a second time does nothing. */
  end(holder: Holder): void {
    if (this.#holders.delete(holder) && this.#holders.size === 0) this.#empty();
  }
}
