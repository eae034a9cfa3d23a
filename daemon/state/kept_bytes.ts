import type { Scn } from "../../artifact/mod.ts";
import type { VerifiedFiles } from "../../manager/mod.ts";
import type { ArtifactStore } from "./artifact_store.ts";
import { findBytes } from "./found_bytes.ts";
import type { KeptGeneration, PluginRecords } from "./state_record.ts";

/** So many are written to the store at a time. */
const AT_ONCE = 16;

type Recorded = readonly [name: string, generation: KeptGeneration];

/** The bytes of what was verified, until they are in the store or of no use. */
export class KeptBytes {
  readonly #store: ArtifactStore;
  readonly #waiting = new Map<string, VerifiedFiles>();
  readonly #loading = new Set<VerifiedFiles>();
  readonly #maxSize: number;
  readonly #lost: (name: string, generation: KeptGeneration) => void;
  /** What that was told of. */
  #gone = new Set<string>();
  /** What was recorded as the store was last cleared of all else. */
  #pruned: string | undefined;

  /** Makes it with nothing to keep; it tells once of what is recorded and can't be had any more. */
  constructor(
    store: ArtifactStore,
    maxSize: number,
    lost: (name: string, generation: KeptGeneration) => void,
  ) {
    this.#store = store;
    this.#maxSize = maxSize;
    this.#lost = lost;
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

  /**
   * Keeps, of what is recorded, what is not kept yet, or not any more, and removes what is not recorded any
   * more. Answers with whether all that is recorded is kept then.
   */
  async settle(records: PluginRecords): Promise<boolean> {
    const recorded: Recorded[] = [...records].flatMap(([name, { current, previous }]) =>
      [current, previous].filter((each) => each !== undefined).map((each) => [name, each] as const)
    );
    // What comes while this is going on is not in the records at hand: it is for the next time.
    const over = [...this.#waiting].filter(([, artifact]) => !this.#loading.has(artifact));
    this.#store.makeThere();
    const gone = new Set<string>();
    const tries = await this.#keepAll(recorded);
    let fault: { readonly error: unknown } | undefined;
    for (const [index, [name, generation]] of recorded.entries()) {
      // What is the matter with one is no reason to do without the others.
      try {
        const tried = tries[index];
        if (tried?.status === "rejected") throw tried.reason;
        if (!tried?.value && await this.#keepFound(name, generation)) continue;
      } catch (error) {
        fault ??= { error };
        continue;
      }
      if (this.#store.has(name, generation)) continue;
      const key = keyOf(name, generation.scn);
      gone.add(key);
      if (!this.#gone.has(key)) this.#lost(name, generation);
    }
    this.#gone = gone;
    // All is held on to, for the next time.
    if (fault) throw fault.error;
    for (const [key, artifact] of over) {
      if (this.#waiting.get(key) === artifact) this.#waiting.delete(key);
    }
    const names = recorded.map(([name, { scn, sha256 }]) => `${keyOf(name, scn)} ${sha256}`).join();
    if (names !== this.#pruned) await this.#store.prune(recorded);
    this.#pruned = names;
    return gone.size === 0;
  }

  /** Some at a time, since each waits for the disk, and for the process, several times. */
  async #keepAll(recorded: readonly Recorded[]): Promise<PromiseSettledResult<boolean>[]> {
    const tries: PromiseSettledResult<boolean>[] = [];
    for (let at = 0; at < recorded.length; at += AT_ONCE) {
      const some = recorded.slice(at, at + AT_ONCE);
      tries.push(...await Promise.allSettled(some.map((each) => this.#keep(...each))));
    }
    return tries;
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
      const isGone = error instanceof Deno.errors.NotFound && !artifact.files.has(generation.file);
      if (!isGone) throw error;
    }
    this.#waiting.delete(key);
    return true;
  }

  /** What somebody has removed from the store is kept again, while its artifact still lies in its folder. */
  async #keepFound(name: string, generation: KeptGeneration): Promise<boolean> {
    if (this.#store.has(name, generation)) return true;
    const found = await findBytes(generation, this.#maxSize);
    if (!found) return false;
    await this.#store.keep(name, generation, found);
    return true;
  }
}

/** No plugin's name holds a space. */
function keyOf(name: string, scn: Scn): string {
  return `${name} ${scn}`;
}
