import { HotplugError, type Scn } from "../../artifact/mod.ts";
import type { DaemonState } from "../state/daemon_state.ts";
import { isFrozenOut, reopenInPlace, reopenLast, type ReopenWorld } from "./reopen.ts";
import type { ReopenRetries } from "./reopen_retries.ts";
import { type KeptGeneration, keptOf, type Suspect } from "../state/state_record.ts";

/** So much speaks against what was tried in vain: once costs nobody any time. */
const VAIN = 4;
/** So often it is waited between tries: with few at a time, that is enough to find one of many. */
const MOST_PAUSES = 5;

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
    const { retries } = this.#world;
    // What came meanwhile may be newer, and what is kept to go back to is not tried.
    for (const each of this.#deferred) if (!this.#isDue(each, state)) this.#deferred.delete(each);
    const due = [...this.#deferred].sort((a, b) => doubtIn(a) - doubtIn(b));
    // Of what was tried in vain before, it may be that what was loaded a moment before ends the process.
    const isVain = due.some((each) => doubtIn(each) >= VAIN);
    const few = isVain ? Math.ceil(due.length / MOST_PAUSES) : due.length;
    for (const [index, suspect] of due.entries()) {
      // Alone, or with few: what ends the process now is one of those.
      if (index % few === 0) await Promise.race([state.moments.quiet(), retries.ending]);
      if (retries.closed) return;
      await this.#tryOne(suspect, state);
      this.#deferred.delete(suspect);
      await look();
    }
    retries.trySuspects();
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

  /**
   * Whether it is to be tried. What is reopened takes the place of whatever there is: not of something newer,
   * that came meanwhile, nor of what the plugin is frozen at.
   */
  #isDue({ name, scn }: Deferred, state: DaemonState): boolean {
    const { manager } = this.#world;
    return !state.isQuarantined(name, scn) && scn > (manager.current(name)?.scn ?? 0) &&
      !isFrozenOut(name, scn, state.record(name), manager);
  }

  async #tryOne(suspect: Deferred, state: DaemonState): Promise<void> {
    const { name, kept } = suspect;
    if (!kept || !this.#isDue(suspect, state)) return;
    try {
      await reopenInPlace(name, kept, { ...this.#world, state });
    } catch (error) {
      if (!(error instanceof HotplugError)) throw error;
      // It is told, and tried again where nothing newer is.
      this.#world.retries.addUnlessNewer(name, { ...kept, code: error.code });
    }
  }
}

/** How much speaks against it; what was found loading for the first time has 2. */
function doubtIn({ loading = 1, loaded = 0 }: Suspect): number {
  return 2 * loading + loaded;
}
