import type { Scn } from "../../artifact/mod.ts";
import type { VerifiedFiles } from "../../manager/mod.ts";
import type { ArtifactStore } from "./artifact_store.ts";
import type { KeptGeneration, PluginRecords } from "./state_record.ts";

/** The bytes of what was verified, until they are in the store or of no use. */
export class KeptBytes {
  readonly #store: ArtifactStore;
  readonly #waiting = new Map<string, VerifiedFiles>();
  readonly #loading = new Set<VerifiedFiles>();

  /** Makes it with nothing to keep. */
  constructor(store: ArtifactStore) {
    this.#store = store;
  }

  /** Whether something is loading. */
  get isLoading(): boolean {
    return this.#loading.size > 0;
  }

  /**
   * Holds the bytes of what begins to load; the answer is to be called when that has ended, with
   * whether they are wanted any more.
   */
  hold(artifact: VerifiedFiles): (wanted: boolean) => void {
    this.#waiting.set(keyOf(artifact.name, artifact.scn), artifact);
    this.#loading.add(artifact);
    return (wanted) => {
      this.#loading.delete(artifact);
      const key = keyOf(artifact.name, artifact.scn);
      if (!wanted && this.#waiting.get(key) === artifact) this.#waiting.delete(key);
    };
  }

  /** Keeps, of what is recorded, what is not kept yet, and removes what is not recorded any more. */
  async settle(records: PluginRecords): Promise<void> {
    const recorded = [...records].flatMap(([name, { current, previous }]) =>
      [current, previous].filter((each) => each !== undefined).map((each) => [name, each] as const)
    );
    // What comes while this is going on is not in the records at hand: it is for the next time.
    const over = [...this.#waiting].filter(([, artifact]) => !this.#loading.has(artifact));
    let kept = false;
    for (const [name, generation] of recorded) kept = await this.#keep(name, generation) || kept;
    for (const [key, artifact] of over) {
      if (this.#waiting.get(key) === artifact) this.#waiting.delete(key);
    }
    if (over.length > 0 || kept) await this.#store.prune(recorded);
  }

  /** Answers with whether there was something to be kept. */
  async #keep(name: string, generation: KeptGeneration): Promise<boolean> {
    const key = keyOf(name, generation.scn);
    const artifact = this.#waiting.get(key);
    if (!artifact || artifact.sha256 !== generation.sha256) return false;
    try {
      await this.#store.keep(name, generation, artifact);
    } catch (error) {
      // An executable that went before it was copied: there is nothing left to be kept.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    this.#waiting.delete(key);
    return true;
  }
}

/** No plugin's name holds a space. */
function keyOf(name: string, scn: Scn): string {
  return `${name} ${scn}`;
}
