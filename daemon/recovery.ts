import { HotplugError, type Scn } from "../artifact/mod.ts";
import type { DaemonState } from "./daemon_state.ts";
import { reopenKept, reopenLast, type ReopenWorld } from "./reopen.ts";
import type { KeptGeneration, Suspect } from "./state_record.ts";

/** A suspect, and what is kept of it. */
interface Deferred extends Suspect {
  readonly name: string;
  readonly kept: KeptGeneration | undefined;
}

/**
 * Brings back what there was before the process ended, and last, one by one, what was loading when it
 * did.
 */
export class Recovery {
  readonly #world: Omit<ReopenWorld, "state">;
  readonly #deferred = new Set<Deferred>();
  #state: DaemonState | undefined;

  /** Makes it for a daemon that has not begun. */
  constructor(world: Omit<ReopenWorld, "state">) {
    this.#world = world;
  }

  /** Reopens what was current; without a state there is nothing to do. */
  async reopen(state: DaemonState | undefined): Promise<void> {
    if (!state) return;
    this.#state = state;
    for (const suspect of state.suspects()) {
      const { current, previous } = state.record(suspect.name);
      const kept = [current, previous].find((each) => each?.scn === suspect.scn);
      this.#deferred.add({ ...suspect, kept });
    }
    await reopenLast({ ...this.#world, state });
  }

  /** Whether a version is to be left alone, now or for good. */
  keepsOut(name: string, scn: Scn): boolean {
    if (!this.#state) return false;
    if (this.#state.isOut(name, scn)) return true;
    return [...this.#deferred].some((each) => each.name === name && each.scn === scn);
  }

  /** Tries what was loading when the process ended, after all others and one at a time. */
  async retrySuspects(look: () => Promise<void>): Promise<void> {
    const state = this.#state;
    if (!state) return;
    for (const suspect of this.#deferred) {
      const { name, kept } = suspect;
      if (kept && !state.isQuarantined(name, kept.scn)) {
        await reopenKept(name, kept, { ...this.#world, state }).catch((error) => {
          // It is told; what was current before goes on.
          if (!(error instanceof HotplugError)) throw error;
        });
      }
      this.#deferred.delete(suspect);
      await look();
    }
  }
}
