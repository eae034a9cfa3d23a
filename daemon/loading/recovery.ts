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
}

/**
 * Brings back what there was before the process ended, and last, one by one, what was loading when it
 * did.
 */
export class Recovery {
  readonly #world: Omit<ReopenWorld, "state">;
  readonly #deferred = new Set<Deferred>();
  readonly #due = new Map<string, { readonly at: number; readonly pause: number }>();
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
    for (const [name, { code }] of await reopenLast({ ...this.#world, state })) {
      if (!isFinal(code)) {
        this.#due.set(name, { at: performance.now() + FIRST_PAUSE, pause: FIRST_PAUSE });
      }
    }
  }

  /** Tries again what could not be reopened for a passing reason, as a full disk, when its time comes. */
  async retryReopening(isCurrent: (name: string) => boolean): Promise<void> {
    const state = this.#state;
    if (!state) return;
    for (const [name, { at, pause }] of this.#due) {
      if (!isCurrent(name) && performance.now() < at) continue;
      this.#due.delete(name);
      // Something newer has come meanwhile.
      if (isCurrent(name)) continue;
      const fault = await reopenPlugin(name, { ...this.#world, state }, true);
      const next = Math.min(pause * 2, LONGEST_PAUSE);
      if (fault && !isFinal(fault.code)) {
        this.#due.set(name, { at: performance.now() + next, pause: next });
      }
    }
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
      // What is reopened takes the place of whatever there is: not of something newer, that came meanwhile.
      const isNewest = kept && kept.scn > (this.#world.manager.current(name)?.scn ?? 0);
      if (isNewest && !state.isQuarantined(name, kept.scn)) {
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
