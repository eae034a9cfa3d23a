import { type ErrorCode, HotplugError, type Scn } from "../../artifact/mod.ts";
import type { DaemonState } from "../state/daemon_state.ts";
import { isFinal } from "../../manager/mod.ts";
import { reopenKept, reopenLast, reopenPlugin, type ReopenWorld } from "./reopen.ts";
import type { KeptGeneration, Suspect } from "../state/state_record.ts";
import { type FailingVersion, failingVersion } from "../status.ts";

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

/** What could not be reopened. */
interface Lost {
  /** Why. */
  readonly code: ErrorCode;
  /** How often it was tried. */
  readonly attempts: number;
  /** When it is tried again, in milliseconds of `performance.now()`; `Infinity` for when it is asked for. */
  readonly at: number;
  /** How long it was put off. */
  readonly pause: number;
}

/**
 * Brings back what there was before the process ended, and last, one by one, what was loading when it
 * did.
 */
export class Recovery {
  readonly #world: Omit<ReopenWorld, "state">;
  readonly #deferred = new Set<Deferred>();
  /** What could not be reopened, by name. */
  readonly #lost = new Map<string, Lost>();
  readonly #retrying = new Map<string, Promise<void>>();
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
      this.#lose(name, code);
    }
  }

  /**
   * Tries again what could not be reopened for a passing reason, as a full disk, when its time comes.
   * Nothing else waits for that: it may take as long as a load may.
   */
  retryReopening(): void {
    for (const [name, lost] of this.#lost) {
      if (this.#world.manager.current(name) !== undefined) {
        // Something newer has come meanwhile.
        this.#lost.delete(name);
        continue;
      }
      if (performance.now() < lost.at || this.#retrying.has(name)) continue;
      this.#lost.set(name, { ...lost, at: Infinity });
      this.#retrying.set(name, this.#retry(name, lost).finally(() => this.#retrying.delete(name)));
    }
  }

  /** Lets what could not be reopened be tried at the next scan: it may be judged otherwise now. */
  retry(): void {
    // The pauses begin anew: what is asked for is not one more try of the same.
    for (const [name, lost] of this.#lost) this.#lost.set(name, { ...lost, at: 0, pause: 0 });
  }

  /** Resolves when what is tried again is open, or has failed to be. */
  async settled(): Promise<void> {
    await Promise.all(this.#retrying.values());
  }

  /** The versions that were current, and could not be reopened, where nothing else is. */
  failing(): FailingVersion[] {
    return [...this.#lost].flatMap(([name, { code, attempts, at }]) => {
      const last = this.#state?.record(name).current;
      if (!last || this.#world.manager.current(name)) return [];
      return [failingVersion(name, { ...last, code, attempts }, at)];
    });
  }

  async #retry(name: string, { attempts, pause }: Lost): Promise<void> {
    const state = this.#state as DaemonState;
    const fault = await reopenPlugin(name, { ...this.#world, state }, true);
    if (!fault) return void this.#lost.delete(name);
    // Asked for meanwhile, with other settings it may be.
    const isAsked = this.#lost.get(name)?.at === 0;
    this.#lose(
      name,
      fault.code,
      attempts + 1,
      Math.min(Math.max(pause * 2, FIRST_PAUSE), LONGEST_PAUSE),
    );
    if (isAsked) this.retry();
  }

  /** What fails for good is tried again when it is asked for, the rest when its time comes too. */
  #lose(name: string, code: ErrorCode, attempts = 1, pause = FIRST_PAUSE): void {
    const at = isFinal(code) ? Infinity : performance.now() + pause;
    this.#lost.set(name, { code, attempts, at, pause });
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
          this.#lost.set(name, { code: error.code, attempts: 1, at: 0, pause: FIRST_PAUSE });
        });
      }
      this.#deferred.delete(suspect);
      await look();
    }
  }
}
