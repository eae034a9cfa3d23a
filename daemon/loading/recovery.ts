import { HotplugError, type Scn } from "../../artifact/mod.ts";
import type { DaemonState } from "../state/daemon_state.ts";
import { isFrozenOut, reopenInPlace, reopenLast, type ReopenWorld } from "./reopen.ts";
import type { ReopenRetries } from "./reopen_retries.ts";
import { type KeptGeneration, keptOf, type Suspect, SUSPICIOUS } from "../state/state_record.ts";

/** So much speaks against what was tried in vain: one such try costs nobody any time. */
const VAIN = 4;

/** A suspect, and what is kept of it. */
interface Deferred extends Suspect {
  readonly name: string;
  readonly kept: KeptGeneration | undefined;
}

/** What the recovery needs of its daemon. */
export interface RecoveryWorld extends Omit<ReopenWorld, "state"> {
  /** What tries again what can't be reopened. */
  readonly retries: Pick<
    ReopenRetries,
    "begin" | "add" | "addUnlessNewer" | "trySuspects" | "closed" | "ending"
  >;
}

/**
 * Brings back what there was before the process ended, and last, one by one, what was loading when it
 * did.
 */
export class Recovery {
  readonly #world: RecoveryWorld;
  readonly #deferred = new Set<Deferred>();
  #state: DaemonState | undefined;

  /** Makes it for a daemon that has not begun. */
  constructor(world: RecoveryWorld) {
    this.#world = world;
  }

  /** Reopens what was current; without a state there is nothing to do. */
  async reopen(state: DaemonState | undefined): Promise<void> {
    if (!state) return;
    this.#state = state;
    const { retries } = this.#world;
    retries.begin(state);
    for (const suspect of state.suspects()) {
      const kept = keptOf(state.record(suspect.name)).find(({ scn }) => scn === suspect.scn);
      this.#deferred.add({ ...suspect, kept });
    }
    for (const [name, lost] of await reopenLast({ ...this.#world, state })) retries.add(name, lost);
  }

  /** Tries what was loading when the process ended, after all others and one at a time. */
  async retrySuspects(look: () => Promise<void>): Promise<void> {
    const state = this.#state;
    if (!state) return;
    // Of what was tried in vain before, it may be that what was loaded a moment before ends the process.
    const isVain = state.suspects().some(({ doubt = SUSPICIOUS }) => doubt >= VAIN);
    let isFirst = true;
    for (const suspect of this.#deferred) {
      // Alone: what ends the process now is that one.
      if (isFirst || isVain) {
        await Promise.race([state.moments.quiet(), this.#world.retries.ending]);
      }
      isFirst = false;
      if (this.#world.retries.closed) return;
      await this.#tryOne(suspect, state);
      this.#deferred.delete(suspect);
      await look();
    }
    this.#world.retries.trySuspects();
  }

  /** Whether a version of a plugin, or any, was found loading and is yet to be tried. */
  awaits(name: string, scn?: Scn): boolean {
    return [...this.#deferred].some((each) =>
      each.name === name && (scn === undefined || each.scn === scn)
    );
  }

  /** Whether a version is to be left alone, now or for good. */
  keepsOut(name: string, scn: Scn): boolean {
    return this.#state?.isOut(name, scn) === true || this.awaits(name, scn);
  }

  async #tryOne({ name, scn, kept }: Deferred, state: DaemonState): Promise<void> {
    const { manager, retries } = this.#world;
    if (!kept || state.isQuarantined(name, scn)) return;
    // What is reopened takes the place of whatever there is: not of something newer, that came meanwhile,
    // nor of what the plugin is frozen at.
    if (scn <= (manager.current(name)?.scn ?? 0)) return;
    if (isFrozenOut(name, scn, state.record(name), manager)) return;
    try {
      await reopenInPlace(name, kept, { ...this.#world, state });
    } catch (error) {
      if (!(error instanceof HotplugError)) throw error;
      // It is told, and tried again where nothing newer is.
      retries.addUnlessNewer(name, { ...kept, code: error.code });
    }
  }
}
