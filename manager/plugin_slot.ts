import type { Generation, GenerationControl } from "./generation.ts";

/** All that a manager has of one plugin: its generations in memory, and the queue of its loads. */
export class PluginSlot {
  readonly #generations: GenerationControl[] = [];
  #last: Promise<unknown> = Promise.resolve();

  /** The generation that takes new calls. */
  get current(): GenerationControl | undefined {
    // Only newer ones are promoted, so the last one is the current one.
    return this.#generations.at(-1);
  }

  /** The generations in memory, oldest first. */
  get generations(): Generation[] {
    return this.#generations.map((each) => each.generation);
  }

  /** Runs the function once all that were queued before are done. */
  enqueue<T>(fn: () => Promise<T>): Promise<T> {
    const result = this.#last.then(fn);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Ends the use of all generations. */
  close(): void {
    for (const each of this.#generations.splice(0)) each.close();
  }

  /** Makes the generation the current one; calls that began before end on the old one. */
  flip(next: GenerationControl): GenerationControl | undefined {
    const previous = this.current;
    this.#generations.push(next);
    previous?.supersede();
    return previous;
  }
}
