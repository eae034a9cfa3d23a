import { HotplugError, type Scn } from "../../artifact/mod.ts";
import type { DaemonState } from "../state/daemon_state.ts";
import { isFinal } from "../../manager/mod.ts";
import { reopenKept, reopenLast, reopenPlugin, type ReopenWorld } from "./reopen.ts";
import type { KeptGeneration, Suspect } from "../state/state_record.ts";

/** The pauses between tries to reopen, in milliseconds. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 300_000;

/** A suspect, and what is kept of it. */
interface Deferred extends Suspect {
  readonly name: string;
  readonly kept: KeptGeneration | undefined;
  /** Whether it is what was current as the plugin was frozen. */
  readonly isFrozen: boolean;
}

/**
 * Brings back what there was before the process ended, and last, one by one, what was loading when it
 * did.
 */
export class Recovery {
  readonly #world: Omit<ReopenWorld, "state">;
  readonly #deferred = new Set<Deferred>();
  readonly #due = new Map<string, { readonly at: number; readonly pause: number }>();
  readonly #retrying = new Set<Promise<void>>();
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
      const { current, previous, frozen } = state.record(suspect.name);
      const kept = [current, previous].find((each) => each?.scn === suspect.scn);
      const isFrozen = frozen && current?.scn === suspect.scn;
      this.#deferred.add({ ...suspect, kept, isFrozen });
    }
    for (const [name, { code }] of await reopenLast({ ...this.#world, state })) {
      if (!isFinal(code)) {
        this.#due.set(name, { at: performance.now() + FIRST_PAUSE, pause: FIRST_PAUSE });
      }
    }
  }

  /**
   * Tries again what could not be reopened for a passing reason, as a full disk, when its time comes.
   * Nothing else waits for that: it may take as long as a load may.
   */
  retryReopening(): void {
    for (const [name, { at, pause }] of this.#due) {
      // Something newer may have come meanwhile.
      const isCurrent = this.#world.manager.current(name) !== undefined;
      if (!isCurrent && performance.now() < at) continue;
      this.#due.delete(name);
      if (isCurrent) continue;
      const retry = this.#retry(name, pause).finally(() => this.#retrying.delete(retry));
      this.#retrying.add(retry);
    }
  }

  /** Resolves when what is tried again is open, or has failed to be. */
  async settled(): Promise<void> {
    await Promise.all(this.#retrying);
  }

  async #retry(name: string, pause: number): Promise<void> {
    const state = this.#state as DaemonState;
    const fault = await reopenPlugin(name, { ...this.#world, state }, true);
    if (!fault || isFinal(fault.code)) return;
    const next = Math.min(pause * 2, LONGEST_PAUSE);
    this.#due.set(name, { at: performance.now() + next, pause: next });
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
      const { name, kept, isFrozen } = suspect;
      const current = this.#world.manager.current(name);
      // What is reopened takes the place of whatever there is: not of something newer, that came
      // meanwhile, nor of what the plugin is frozen at.
      const isDue = kept && kept.scn > (current?.scn ?? 0) &&
        (!current || isFrozen || !state.record(name).frozen);
      if (isDue && !state.isQuarantined(name, kept.scn)) {
        await reopenKept(name, kept, { ...this.#world, state }).catch((error) => {
          if (!(error instanceof HotplugError)) throw error;
          // It is told. Where nothing else is current, it is tried again, or what was before it.
          this.#due.set(name, { at: performance.now(), pause: FIRST_PAUSE });
        });
      }
      this.#deferred.delete(suspect);
      await look();
    }
  }
}
