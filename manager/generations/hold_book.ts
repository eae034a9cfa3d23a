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

/** One hold; a link of its book's chain. */
export interface Hold {
  /** What kind of holder it is. */
  readonly kind: Holder["kind"];
  /** Its symbol, or its label. */
  readonly what: string | undefined;
  /** Since when, in milliseconds since the epoch. */
  readonly since: number;
  /** The one that came before it. */
  before: Hold | undefined;
  /** The one that came after it. */
  after: Hold | undefined;
  /** Whether it has ended. */
  ended: boolean;
}

/**
 * The holds on one generation. They are a chain, and no set: each call comes and goes, which is what a
 * set is slow at.
 */
export class HoldBook {
  readonly #empty: () => void;
  #first: Hold | undefined;
  #last: Hold | undefined;
  #size = 0;

  /** Makes an empty book; the function is called each time the last hold ends. */
  constructor(empty: () => void) {
    this.#empty = empty;
  }

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** Who holds it now, in the order in which they came. */
  list(): Holder[] {
    const holders: Holder[] = [];
    for (let each = this.#first; each; each = each.after) holders.push(holderOf(each));
    return holders;
  }

  /** Adds a hold; `what` is the symbol, or for a lease its label. */
  add(kind: Holder["kind"], what: string | undefined): Hold {
    const before = this.#last;
    const hold: Hold = { kind, what, since: Date.now(), before, after: undefined, ended: false };
    if (before) before.after = hold;
    else this.#first = hold;
    this.#last = hold;
    this.#size++;
    return hold;
  }

  /** Ends the hold; a second time does nothing. */
  end(hold: Hold): void {
    if (hold.ended) return;
    hold.ended = true;
    const { before, after } = hold;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    // Who keeps an ended hold must not keep all that came after it.
    hold.before = hold.after = undefined;
    if (--this.#size === 0) this.#empty();
  }
}

function holderOf({ kind, what, since }: Hold): Holder {
  if (what === undefined) return { kind, since };
  return kind === "lease" ? { kind, label: what, since } : { kind, symbol: what, since };
}
