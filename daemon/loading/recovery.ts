import { type ErrorCode, HotplugError, type Scn } from "../../artifact/mod.ts";
import type { DaemonState } from "../state/daemon_state.ts";
import { isFinal } from "../../manager/mod.ts";
import {
  type NotReopened,
  reopenInPlace,
  reopenLast,
  reopenPlugin,
  type ReopenWorld,
} from "./reopen.ts";
import type { RetriedEvent, StateEvent } from "../events.ts";
import type { Backoff } from "./failure_log.ts";
import type { Loader } from "./loader.ts";
import type { MutedFailures } from "./muted_failures.ts";
import { retriedEvent } from "./retried_event.ts";
import {
  isSuspect,
  type KeptGeneration,
  keptOf,
  NO_RECORD,
  type PluginRecord,
  type Suspect,
} from "../state/state_record.ts";
import { type FailingVersion, failingVersion } from "../status.ts";

/** So fails what was read, and ran: from its folder it would be the same. */
const HAS_RUN: ReadonlySet<ErrorCode> = new Set([
  "load",
  "deadline",
  "activation",
  "health",
  "quiesce",
  "handover",
  "crashed",
]);

/** A suspect, and what is kept of it. */
interface Deferred extends Suspect {
  readonly name: string;
  readonly kept: KeptGeneration | undefined;
}

/** What could not be reopened, while something older may stand in for it. */
interface Lost extends NotReopened {
  /** How often it was tried. */
  readonly attempts: number;
  /** When it is tried again, in milliseconds of `performance.now()`; `Infinity` for when it is asked for. */
  readonly at: number;
  /** How long it was put off. */
  readonly pause: number;
}

/** What the recovery needs of its daemon. */
export interface RecoveryWorld extends Omit<ReopenWorld, "state" | "emit"> {
  /** The pauses between tries. */
  readonly backoff: Backoff;
  /** What tells only of failures that are news. */
  readonly muted: MutedFailures;
  /** Whether a version is tried in its folder as well. */
  isFollowed(name: string, scn: Scn): boolean;
  /** Tells those who listen. */
  emit(event: StateEvent | RetriedEvent): void;
}

/**
 * Brings back what there was before the process ended, and last, one by one, what was loading when it
 * did.
 */
export class Recovery {
  readonly #world: RecoveryWorld;
  readonly #deferred = new Set<Deferred>();
  /** What could not be reopened, by name. */
  readonly #lost = new Map<string, Lost>();
  readonly #retrying = new Map<string, Promise<void>>();
  /** The failures that were told since all was last asked for. */
  readonly #told = new Set<string>();
  #state: DaemonState | undefined;
  /** Whether all that was suspect was tried once. */
  #isRecovered = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** Makes it for a daemon that has not begun. */
  constructor(world: RecoveryWorld) {
    this.#world = world;
  }

  /** Reopens what was current; without a state there is nothing to do. */
  async reopen(state: DaemonState | undefined): Promise<void> {
    if (!state) return;
    this.#state = state;
    for (const suspect of state.suspects()) {
      const kept = keptOf(state.record(suspect.name)).find(({ scn }) => scn === suspect.scn);
      this.#deferred.add({ ...suspect, kept });
    }
    for (const [name, lost] of await reopenLast(this.#worldOf(state))) this.#lose(name, lost);
  }

  /**
   * Tries again what could not be reopened for a passing reason, as a full disk, when its time comes.
   * Nothing else waits for that: it may take as long as a load may.
   */
  retryReopening(): void {
    for (const [name, lost] of this.#lost) {
      const end = this.#endOf(name, lost);
      if (end) {
        this.#lost.delete(name);
        // By whatever has loaded it that is told already.
        if (end !== "loaded" && !isFinal(lost.code)) this.#tell(name, lost, end);
        continue;
      }
      if (performance.now() < lost.at || this.#retrying.has(name)) continue;
      if (this.#isDeferred(name, lost.scn)) continue;
      if (this.#isFrozenOut(name, lost.scn)) continue;
      this.#lost.set(name, { ...lost, at: Infinity });
      this.#retry(name, lost);
    }
    this.#wake();
  }

  /** Lets what could not be reopened be tried at the next scan: it may be judged otherwise now. */
  retry(): void {
    this.#told.clear();
    for (const name of this.#lost.keys()) this.#askFor(name);
  }

  /**
   * Lets the newest of what is kept of a plugin be tried at the next scan, where that is not loaded: it was
   * let out of quarantine, or the plugin is not frozen any more.
   */
  tryAgain(name: string): void {
    const newest = keptOf(this.#stateOf(name))
      .find(({ scn }) => !this.#state?.isQuarantined(name, scn));
    if (!newest || newest.scn <= (this.#world.manager.current(name)?.scn ?? 0)) return;
    if ([...this.#deferred].some((each) => each.name === name)) return;
    this.#told.clear();
    const lost = this.#lost.get(name) ?? { attempts: 0, code: "held" };
    this.#lost.set(name, { ...lost, ...newest, at: 0, pause: 0 });
  }

  /** Resolves when what is tried again is open, or has failed to be. */
  async settled(): Promise<void> {
    await Promise.all(this.#retrying.values());
  }

  /** Tries nothing more by itself, and waits for what is being tried. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.settled();
  }

  /** The versions that could not be reopened, where nothing as new is loaded. */
  failing(): FailingVersion[] {
    return [...this.#lost].filter(([name, lost]) => !this.#endOf(name, lost))
      .map(([name, lost]) => failingVersion(name, lost, lost.at));
  }

  #retry(name: string, lost: Lost): void {
    const retrying = this.#reopen(name, lost).finally(() => {
      this.#retrying.delete(name);
      this.#wake();
    });
    this.#retrying.set(name, retrying);
  }

  async #reopen(name: string, lost: Lost): Promise<void> {
    const { manager } = this.#world;
    const world = this.#worldOf(this.#state as DaemonState);
    const quiet = lost.attempts > 0 && lost.pause > 0;
    const again = await reopenPlugin(name, world, {
      suspectsToo: this.#isRecovered,
      quiet,
    });
    const attempts = lost.attempts + 1;
    const now = this.#lost.get(name) ?? lost;
    if (!again) {
      // What was asked for meanwhile is another one; else it was frozen while it was at it.
      if (!this.#endOf(name, now)) return void this.#lost.set(name, now.at === 0 ? now : lost);
      this.#lost.delete(name);
      // What was never tried has not failed.
      if (lost.attempts > 0 && manager.current(name)?.scn === lost.scn) {
        this.#tell(name, { ...lost, attempts }, "loaded");
      }
      return;
    }
    // Asked for meanwhile, with other settings it may be.
    const isAsked = now.at === 0;
    const { retryMin, retryMax } = this.#world.backoff;
    const pause = Math.min(Math.max(lost.pause * 2, retryMin), retryMax);
    this.#lose(name, again, { attempts, pause });
    if (isAsked) this.#askFor(name);
  }

  /** The pauses begin anew: what is asked for is not one more try of the same. */
  #askFor(name: string): void {
    const lost = this.#lost.get(name);
    if (lost) this.#lost.set(name, { ...lost, at: 0, pause: 0 });
  }

  /** What fails for good is tried again when it is asked for, the rest when its time comes too. */
  #lose(
    name: string,
    { scn, sha256, file, path, code }: NotReopened,
    { attempts = 1, pause = this.#world.backoff.retryMin }: Partial<Lost> = {},
  ): void {
    const at = isFinal(code) ? Infinity : performance.now() + pause;
    this.#lost.set(name, { scn, sha256, file, path, code, attempts, at, pause });
  }

  /** Why it need not be tried any more; undefined where it is. */
  #endOf(name: string, { scn }: Lost): RetriedEvent["outcome"] | undefined {
    const current = this.#world.manager.current(name)?.scn ?? 0;
    if (current >= scn) return current === scn ? "loaded" : "superseded";
    return keptOf(this.#stateOf(name)).some((each) => each.scn === scn) ? undefined : "held";
  }

  /** Whether the plugin is frozen at what stands in for a version; once it is thawed there is a scan. */
  #isFrozenOut(name: string, scn: Scn): boolean {
    const { frozen, current } = this.#stateOf(name);
    return frozen && this.#world.manager.current(name) !== undefined && current?.scn !== scn;
  }

  /** Whether it was found loading, and not all that was is tried: two of these at once would share the blame. */
  #isDeferred(name: string, scn: Scn): boolean {
    return !this.#isRecovered && isSuspect(this.#stateOf(name), scn);
  }

  /** What is tried in its folder as well has its end told there. */
  #tell(name: string, lost: Lost, end: RetriedEvent["outcome"]): void {
    if (!this.#world.isFollowed(name, lost.scn)) this.#world.emit(retriedEvent(lost, end));
  }

  #stateOf(name: string): PluginRecord {
    return this.#state?.record(name) ?? NO_RECORD;
  }

  /** Of what fails again in the same way nothing is told. */
  #worldOf(state: DaemonState): ReopenWorld {
    const { loader, muted } = this.#world;
    const reopen: Loader["reopen"] = (path, ...how) => {
      const isNews = (code: ErrorCode): boolean => {
        const isNew = !this.#told.has(`${code} ${path}`);
        this.#told.add(`${code} ${path}`);
        return isNew;
      };
      return muted.mute(path, isNews, () => loader.reopen(path, ...how));
    };
    return { ...this.#world, state, loader: { reopen } };
  }

  #wake(): void {
    clearTimeout(this.#timer);
    const due = [...this.#lost].filter(([name, lost]) =>
      !this.#retrying.has(name) && !this.#isFrozenOut(name, lost.scn) &&
      !this.#isDeferred(name, lost.scn)
    );
    const next = Math.min(...due.map(([, { at }]) => at));
    if (this.#closed || next === Infinity) return;
    const wait = Math.max(1, next - performance.now());
    this.#timer = setTimeout(() => this.retryReopening(), wait);
  }

  /** Whether a version is to be left alone, now or for good. */
  keepsOut(name: string, scn: Scn): boolean {
    if (!this.#state) return false;
    if (this.#state.isOut(name, scn)) return true;
    if ([...this.#deferred].some((each) => each.name === name && each.scn === scn)) return true;
    const lost = this.#lost.get(name);
    // It is tried from where it is kept: once is enough.
    return lost?.scn === scn && HAS_RUN.has(lost.code) && !this.#world.isFollowed(name, scn) &&
      this.#state.keptAt(name, lost) !== undefined;
  }

  /** Tries what was loading when the process ended, after all others and one at a time. */
  async retrySuspects(look: () => Promise<void>): Promise<void> {
    const state = this.#state;
    if (!state) return;
    for (const suspect of this.#deferred) {
      if (this.#closed) return;
      const { name, scn, kept } = suspect;
      const current = this.#world.manager.current(name);
      // What is reopened takes the place of whatever there is: not of something newer, that came
      // meanwhile, nor of what the plugin is frozen at.
      const isDue = kept && kept.scn > (current?.scn ?? 0) && !this.#isFrozenOut(name, scn);
      if (isDue && !state.isQuarantined(name, kept.scn)) {
        await reopenInPlace(name, kept, this.#worldOf(state)).catch((error) => {
          if (!(error instanceof HotplugError)) throw error;
          // It is told, and tried again where nothing newer is.
          const lost = this.#lost.get(name);
          if (!lost || lost.scn <= kept.scn) this.#lose(name, { ...kept, code: error.code });
        });
      }
      this.#deferred.delete(suspect);
      await look();
    }
    this.#isRecovered = true;
    this.#wake();
  }
}
