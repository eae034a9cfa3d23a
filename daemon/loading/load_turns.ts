/**
 * So many loads are under way at a time: as many as are read at one go. What is under way when a process is
 * killed is suspect to the next one, which tries it by itself, in 0.1 s each.
 */
const MOST = 32;
/** What takes longer keeps no others waiting any more, in milliseconds. */
const LONGEST = 250;

/**
 * Lets loads begin one after the other where many come at once, as at a start or in a roll-out: of what
 * serves already first, since calls go to what is older meanwhile.
 */
export class LoadTurns {
  readonly #serving: (() => void)[] = [];
  readonly #others: (() => void)[] = [];
  #taken = 0;

  /** Resolves once it is the turn of whoever asks, to what ends it. */
  async next(serves: boolean): Promise<() => void> {
    const queue = serves ? this.#serving : this.#others;
    // Who ends a turn hands it over.
    if (this.#taken >= MOST) await new Promise<void>((resolve) => queue.push(resolve));
    else this.#taken++;
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      const next = this.#serving.shift() ?? this.#others.shift();
      if (next) next();
      else this.#taken--;
    };
    const timer = setTimeout(end, LONGEST);
    return end;
  }
}
