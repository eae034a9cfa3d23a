import type { Scn } from "../../artifact/mod.ts";
import type { DaemonState } from "../state/daemon_state.ts";
import { isFinal } from "../../manager/mod.ts";
import { isFrozenOut, type NotReopened, reopenPlugin, type ReopenWorld } from "./reopen.ts";
import type { RetriedEvent, StateEvent } from "../events.ts";
import type { Backoff } from "./failure_log.ts";
import type { QuietLoader } from "./quiet_loader.ts";
import { retriedEvent } from "./retried_event.ts";
import { isSuspect, keptOf, NO_RECORD, type PluginRecord } from "../state/state_record.ts";
import { wasTried } from "../state/tried_failures.ts";
import { type FailingVersion, failingVersion } from "../status.ts";

/** What could not be reopened, while something older may stand in for it. */
interface Lost extends NotReopened {
  /** How often it was tried. */
  readonly attempts: number;
  /** When it is tried again, in milliseconds of `performance.now()`; `Infinity` for when it is asked for. */
  readonly at: number;
  /** How long it was put off. */
  readonly pause: number;
}

/** What the retries need of their daemon. */
export interface RetriesWorld extends Omit<ReopenWorld, "state" | "loader" | "emit"> {
  /** What opens the artifacts. */
  readonly loader: Pick<QuietLoader, "reopen" | "forget">;
  /** The pauses between tries. */
  readonly backoff: Backoff;
  /** Whether a version is tried in its folder as well. */
  isFollowed(name: string, scn: Scn): boolean;
  /** Tells those who listen. */
  emit(event: StateEvent | RetriedEvent): void;
}

/** Tries again what could not be reopened, as long as nothing as new is loaded. */
export class ReopenRetries {
  readonly #world: RetriesWorld;
  /** What could not be reopened, by name. */
  readonly #lost = new Map<string, Lost>();
  readonly #retrying = new Map<string, Promise<void>>();
  #state: DaemonState | undefined;
  #suspectsToo = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #ending = Promise.withResolvers<void>();
  #closed = false;

  /** Makes them for a daemon that has not begun. */
  constructor(world: RetriesWorld) {
    this.#world = world;
  }

  /** Begins, by what is remembered. */
  begin(state: DaemonState): void {
    this.#state = state;
  }

  /**
   * Takes what could not be reopened: what fails for good is tried again when it is asked for, the rest
   * when its time comes too.
   */
  add(
    name: string,
    { scn, sha256, file, path, code }: NotReopened,
    { attempts = 1, pause = this.#world.backoff.retryMin }: Partial<Lost> = {},
  ): void {
    const at = isFinal(code) ? Infinity : performance.now() + pause;
    this.#lost.set(name, { scn, sha256, file, path, code, attempts, at, pause });
  }

  /** The same, where nothing newer could not be reopened either. */
  addUnlessNewer(name: string, lost: NotReopened): void {
    const other = this.#lost.get(name);
    if (!other || other.scn <= lost.scn) this.add(name, lost);
  }

  /** From now on what is suspect is tried again, too: two of these at once would share the blame. */
  trySuspects(): void {
    this.#suspectsToo = true;
    this.#wake();
  }

  /** Tries all whose time has come. Nothing waits for that: it may take as long as a load may. */
  tryDue(): void {
    for (const [name, lost] of this.#lost) {
      const end = this.#endOf(name, lost);
      if (end) {
        this.#lost.delete(name);
        // By whatever has loaded it that is told already.
        if (end !== "loaded" && !isFinal(lost.code)) this.#tell(name, lost, end);
        continue;
      }
      if (performance.now() < lost.at || this.#isWaiting(name, lost.scn)) continue;
      this.#lost.set(name, { ...lost, at: Infinity });
      this.#retry(name, lost);
    }
    this.#wake();
  }

  /** Lets what could not be reopened be tried at the next scan: it may be judged otherwise now. */
  retry(): void {
    this.#world.loader.forget();
    for (const name of this.#lost.keys()) this.#askFor(name);
  }

  /**
   * Lets the newest of what is kept of a plugin be tried at the next scan, where that is not loaded: it was
   * let out of quarantine, or the plugin is not frozen any more.
   */
  tryAgain(name: string): void {
    const newest = keptOf(this.#recordOf(name))
      .find(({ scn }) => !this.#state?.isQuarantined(name, scn));
    if (!newest || newest.scn <= (this.#world.manager.current(name)?.scn ?? 0)) return;
    this.#world.loader.forget();
    const lost = this.#lost.get(name) ?? { attempts: 0, code: "held" };
    this.#lost.set(name, { ...lost, ...newest, at: 0, pause: 0 });
  }

  /** Whether a version need not be tried in its folder: it is tried from where it is kept, once is enough. */
  keepsOut(name: string, scn: Scn): boolean {
    const lost = this.#lost.get(name);
    return lost?.scn === scn && wasTried(lost.code) && !this.#world.isFollowed(name, scn) &&
      this.#state?.keptAt(name, lost) !== undefined;
  }

  /** The versions that could not be reopened, where nothing as new is loaded. */
  failing(): FailingVersion[] {
    return [...this.#lost].filter(([name, lost]) => !this.#endOf(name, lost))
      .map(([name, lost]) => failingVersion(name, lost, lost.at));
  }

  /** Whether nothing more is tried. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves once nothing more is tried. */
  get ending(): Promise<void> {
    return this.#ending.promise;
  }

  /** Resolves when what is tried again is open, or has failed to be. */
  async settled(): Promise<void> {
    await Promise.all(this.#retrying.values());
  }

  /** Tries nothing more by itself, and waits for what is being tried. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#ending.resolve();
    clearTimeout(this.#timer);
    await this.settled();
  }

  #retry(name: string, lost: Lost): void {
    const retrying = this.#reopen(name, lost).finally(() => {
      this.#retrying.delete(name);
      this.#wake();
    });
    this.#retrying.set(name, retrying);
  }

  async #reopen(name: string, lost: Lost): Promise<void> {
    const world = { ...this.#world, state: this.#state as DaemonState };
    const quiet = lost.attempts > 0 && lost.pause > 0;
    const again = await reopenPlugin(name, world, { suspectsToo: this.#suspectsToo, quiet });
    const attempts = lost.attempts + 1;
    const now = this.#lost.get(name) ?? lost;
    if (!again) {
      // What was asked for meanwhile is another one; else it was frozen while it was at it.
      if (!this.#endOf(name, now)) return void this.#lost.set(name, now.at === 0 ? now : lost);
      this.#lost.delete(name);
      // What was never tried has not failed.
      if (lost.attempts > 0 && world.manager.current(name)?.scn === lost.scn) {
        this.#tell(name, { ...lost, attempts }, "loaded");
      }
      return;
    }
    // Asked for meanwhile, with other settings it may be.
    const isAsked = now.at === 0;
    const { retryMin, retryMax } = this.#world.backoff;
    const pause = Math.min(Math.max(lost.pause * 2, retryMin), retryMax);
    this.add(name, again, { attempts, pause });
    if (isAsked) this.#askFor(name);
  }

  /** The pauses begin anew: what is asked for is not one more try of the same. */
  #askFor(name: string): void {
    const lost = this.#lost.get(name);
    if (lost) this.#lost.set(name, { ...lost, at: 0, pause: 0 });
  }

  /** Why it need not be tried any more; undefined where it is. */
  #endOf(name: string, { scn }: Lost): RetriedEvent["outcome"] | undefined {
    const current = this.#world.manager.current(name)?.scn ?? 0;
    if (current >= scn) return current === scn ? "loaded" : "superseded";
    return keptOf(this.#recordOf(name)).some((each) => each.scn === scn) ? undefined : "held";
  }

  /** Whether it is tried already, or not to be tried yet: once what is frozen is thawed there is a scan. */
  #isWaiting(name: string, scn: Scn): boolean {
    const record = this.#recordOf(name);
    return this.#retrying.has(name) || isFrozenOut(name, scn, record, this.#world.manager) ||
      !this.#suspectsToo && isSuspect(record, scn);
  }

  /** What is tried in its folder as well has its end told there. */
  #tell(name: string, lost: Lost, end: RetriedEvent["outcome"]): void {
    if (!this.#world.isFollowed(name, lost.scn)) this.#world.emit(retriedEvent(lost, end));
  }

  #recordOf(name: string): PluginRecord {
    return this.#state?.record(name) ?? NO_RECORD;
  }

  #wake(): void {
    clearTimeout(this.#timer);
    const due = [...this.#lost].filter(([name, { scn }]) => !this.#isWaiting(name, scn));
    const next = Math.min(...due.map(([, { at }]) => at));
    if (this.#closed || next === Infinity) return;
    this.#timer = setTimeout(() => this.tryDue(), Math.max(1, next - performance.now()));
  }
}
