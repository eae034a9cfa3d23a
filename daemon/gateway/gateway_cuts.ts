import type { Generation, PluginManager } from "../../manager/mod.ts";

/** Ends what may last for good: with its generation's time, or with the gateway. */
export class GatewayCuts {
  readonly #manager: Pick<PluginManager, "drained">;
  readonly #cuts = new Map<Generation, Set<() => void>>();
  #ended = false;

  /** Makes it with nothing to end. */
  constructor(manager: Pick<PluginManager, "drained">) {
    this.#manager = manager;
  }

  /** How many there are. */
  get size(): number {
    return [...this.#cuts.values()].reduce((sum, cuts) => sum + cuts.size, 0);
  }

  /**
   * Remembers how to end something of a generation; answers with how to forget it. Once all has been
   * ended, what comes late is, too.
   */
  add(generation: Generation, cut: () => void): () => void {
    const cuts = this.#cutsOf(generation);
    cuts.add(cut);
    if (this.#ended) cut();
    return () => void cuts.delete(cut);
  }

  /** Ends all, and from now on whatever is added. */
  cutAll(): void {
    this.#ended = true;
    for (const cuts of this.#cuts.values()) for (const cut of [...cuts]) cut();
  }

  #cutsOf(generation: Generation): Set<() => void> {
    let cuts = this.#cuts.get(generation);
    if (cuts) return cuts;
    // One for all of a generation: each more would stay for as long as that is current.
    this.#cuts.set(generation, cuts = new Set());
    void this.#follow(generation, cuts);
    return cuts;
  }

  async #follow(generation: Generation, cuts: ReadonlySet<() => void>): Promise<void> {
    const left = await this.#manager.drained(generation);
    this.#cuts.delete(generation);
    if (!left) { for (const cut of [...cuts]) cut(); }
  }
}
