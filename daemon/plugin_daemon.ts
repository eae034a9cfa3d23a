import { HotplugError, type Scn } from "../artifact/mod.ts";
import type { Generation, ManagerEvent, PluginManager } from "../manager/mod.ts";
import type { RollbackOptions, WhichVersion } from "../manager/mod.ts";
import { EventHub } from "../manager/event_hub.ts";
import { type DaemonParts, makeParts } from "./daemon_parts.ts";
import { DaemonState } from "./state/daemon_state.ts";
import { drained } from "./drain.ts";
import type { DaemonEvent } from "./events.ts";
import { readyEvent, stoppedEvent } from "./lifecycle_events.ts";
import { eventLogger } from "./log_events.ts";
import { checkLogLevel, type LogLevel } from "./log_level.ts";
import { type DaemonOptions, resolveDaemonOptions, type ResolvedDaemonOptions } from "./options.ts";
import { ScanScheduler } from "./scan/scan_scheduler.ts";
import { allFailing, type DaemonStatus, daemonStatus, type QuarantinedVersion } from "./status.ts";

/**
 * Watches directories and keeps the newest version of every plugin in them loaded.
 *
 * Events of the file system are hints; a listing of the directory is the truth, taken after
 * hints and on a timer. What fails to load leaves the generation before it in place.
 *
 * @example
 * ```ts
 * import { PluginDaemon } from "@hotplug/hotplug/daemon";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * await using daemon = new PluginDaemon({ watch: [directory], bareSettle: 0 });
 * await daemon.start();
 * const events = daemon.events();
 * const file = `${directory}/greeter_20261123014512_2_9_5_any_any.mjs`;
 * await Deno.writeTextFile(file, "export const greet = (name) => `Hello, ${name}!`;");
 * for await (const { type } of events) if (type === "loaded") break;
 * using greeter = daemon.manager.acquire("greeter");
 * assertEquals(await greeter.call("greet", "Ada"), "Hello, Ada!");
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class PluginDaemon implements AsyncDisposable {
  readonly #options: ResolvedDaemonOptions;
  readonly #hub = new EventHub<DaemonEvent>();
  readonly #parts: DaemonParts;
  readonly #scans = new ScanScheduler(() => this.#scan());
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #state: DaemonState | undefined;
  #logLevel: LogLevel;
  #startedAt: number | undefined;
  #looked = false;
  #ready = false;
  #opened: Promise<DaemonState> | undefined;
  #started: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Makes a daemon that has not begun; see {@linkcode start}.
   *
   * @throws {HotplugError} `options` where one is out of its range.
   */
  constructor(options: DaemonOptions) {
    this.#options = resolveDaemonOptions(options);
    this.#logLevel = this.#options.logLevel;
    this.#hub.subscribe(eventLogger(() => this.#logLevel));
    this.#parts = makeParts(this.#options, {
      emit: (event) => this.#hub.emit(event),
      forward: (event) => this.#forward(event),
      state: () => this.#state,
      scan: () => void (this.#isEarly || this.#scans.request()),
    });
  }

  /** What has the plugins loaded; to look up, call and lease them. It closes with the daemon. */
  get manager(): PluginManager {
    return this.#parts.manager;
  }

  /** Takes its state folder, where it is to have one; {@linkcode start} does so first. */
  async open(): Promise<void> {
    this.#assertOpen();
    const { state, manager } = this.#options;
    if (state === undefined) return;
    this.#opened ??= DaemonState.open(state, (event) => this.#hub.emit(event), manager.maxSize);
    this.#state = await this.#opened;
  }

  /**
   * Begins to watch; resolves once all that was there, and whole, is loaded or failed.
   *
   * @throws {HotplugError} `closed` where the daemon is closed already. It is tried once: make another.
   */
  start(): Promise<void> {
    return this.#started ??= this.#start();
  }

  /** Looks at all directories now; resolves once what was found is loaded, or has failed to. */
  async scan(): Promise<void> {
    this.#assertOpen();
    const isEarly = this.#isEarly;
    if (!isEarly) await this.#parts.watches.check();
    this.#parts.scanner.tell();
    await (isEarly ? this.#started : this.#look().then(() => this.#parts.retries.settled()));
  }

  /**
   * Reads its options again, by {@linkcode DaemonOptions.reload}, and scans; resolves to the names of
   * those that have changed and need a restart. Settings of plugins hold for what is loaded from then
   * on. Options that make no sense leave all as it was; it scans all the same.
   *
   * @throws {HotplugError} `options`, `config` or `key` where they can't be used.
   */
  async reload(): Promise<string[]> {
    this.#assertOpen();
    const take = (level: LogLevel): void => void (this.#logLevel = level);
    // Whether they can be read or not.
    return await this.#parts.options.reload(take).finally(() => this.scan());
  }

  /** How it stands. */
  status(): DaemonStatus {
    return daemonStatus({
      ready: this.#ready && !this.#closed,
      closed: this.#closed !== undefined,
      startedAt: this.#startedAt,
      watch: this.#parts.watches.status(),
      plugins: this.#parts.manager.status(),
      pending: this.#parts.manager.pending(),
      failing: allFailing(this.#parts.runners.failing(), this.#parts.retries.failing()),
      quarantine: this.#parts.holds.quarantine(),
      limits: this.#options,
      ...this.#parts.scanner.status(),
      logLevel: this.#logLevel,
      state: this.#state?.folder,
    });
  }

  /**
   * Takes an older generation back into use, and holds what was current; see
   * {@linkcode PluginManager.rollback}. With a state folder, what was current before a restart is
   * there to go back to as well.
   *
   * @throws {HotplugError} As the manager does; `state` where it was done and can't be written down,
   * as all these calls.
   */
  async rollback(name: string, options: RollbackOptions = {}): Promise<Generation> {
    this.#assertOpen();
    return await this.#parts.holds.rollback(name, options);
  }

  /** Lifts the hold of a rollback, and scans; resolves to whether there was one. */
  async release(name: string): Promise<boolean> {
    this.#assertOpen();
    return await this.#parts.holds.release(name);
  }

  /**
   * Keeps the plugin as it is until {@linkcode thaw}.
   *
   * @throws {HotplugError} `name` for what is no plugin's name.
   */
  async freeze(name: string): Promise<void> {
    this.#assertOpen();
    await this.#parts.holds.freeze(name);
  }

  /** Ends a freeze, and scans; resolves to whether there was one. */
  async thaw(name: string): Promise<boolean> {
    this.#assertOpen();
    return await this.#parts.holds.thaw(name);
  }

  /**
   * Opens a version that waits for an approval, the newest one if no other is named.
   * @throws {HotplugError} `not-found` where none waits, `conflict`; else as {@linkcode PluginManager.open}.
   */
  async approve(name: string, which?: WhichVersion): Promise<Generation> {
    this.#assertOpen();
    return await this.#parts.holds.approve(name, which);
  }

  /** The versions in quarantine, by name and then by SCN. */
  quarantine(): QuarantinedVersion[] {
    return this.#parts.holds.quarantine();
  }

  /** Lets a version out of quarantine, and scans; resolves to whether it was there. */
  async releaseQuarantine(name: string, scn: Scn): Promise<boolean> {
    this.#assertOpen();
    return await this.#parts.holds.unquarantine(name, scn);
  }

  /** Whether there is something of a plugin, loaded or not; before the first scan, that may be. */
  knows(name: string): boolean {
    const { manager, scanner } = this.#parts;
    if (!this.#ready || scanner.found(name)) return true;
    return manager.generations(name).length > 0 || manager.statusOf(name)?.held !== undefined;
  }

  /** What is logged; events are told whatever it is. */
  get logLevel(): LogLevel {
    return this.#logLevel;
  }

  /**
   * Sets what is logged from now on.
   * @throws {HotplugError} `options` where it is no level.
   */
  setLogLevel(level: LogLevel): void {
    this.#logLevel = checkLogLevel(level);
  }

  /** Calls the listener for each event from now on, until disposed of. */
  subscribe(listener: (event: DaemonEvent) => void): Disposable {
    return this.#hub.subscribe(listener);
  }

  /** The events from now on; ends when the daemon is closed. */
  events(): AsyncIterableIterator<DaemonEvent> {
    return this.#hub.events();
  }

  /**
   * Stops watching, waits for calls and leases for as long as it may (`drain`, in milliseconds, 0 by
   * default), deactivates all and closes the manager. A second call changes nothing.
   */
  close({ drain = 0 }: { readonly drain?: number } = {}): Promise<void> {
    return this.#closed ??= this.#close(drain);
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<void> {
    const began = performance.now();
    const { watches, scanner, recovery, manager, budget } = this.#parts;
    const watching = watches.start();
    await this.open().catch((error) => watches.close().then(() => Promise.reject(error)));
    this.#startedAt = Date.now();
    const listing = watching.then(() => scanner.listAhead(this.#options.watch));
    await Promise.all([listing, manager.prepare(), recovery.reopen(this.#state)]);
    this.#looked = true;
    await this.#scans.request();
    await this.#parts.runners.opened();
    await recovery.retrySuspects(() => this.#look());
    if (this.#closed) return;
    this.#ready = true;
    this.#timers.push(setInterval(() => void this.#scans.request(), this.#options.scanInterval));
    this.#timers.push(setInterval(() => budget.check(), 1_000));
    this.#hub.emit(readyEvent(this.#options.watch, manager.names(), began));
  }

  async #close(drain: number): Promise<void> {
    // After this turn `#closed` is set, which all that is under way looks at.
    await Promise.resolve();
    for (const timer of this.#timers) clearInterval(timer);
    await this.#parts.watches.close().then(() => this.#scans.close());
    // They begin nothing more, and need not wait for its deadline: the manager gives up what is loading.
    const tried = Promise.all([this.#parts.runners.close(), this.#parts.retries.close()]);
    if (drain > 0) await drained(this.#parts.manager, drain);
    await Promise.all([this.#parts.manager.close(), tried]);
    await Promise.allSettled([this.#opened, this.#started, this.#parts.retries.settled()]);
    await this.#state?.close();
    this.#hub.emit(stoppedEvent());
    this.#hub.close();
  }

  async #look(): Promise<void> {
    await this.#scans.request();
    await this.#parts.runners.settled();
  }

  async #scan(): Promise<boolean> {
    const choices = await this.#parts.scanner.scan(this.#options.watch);
    if (this.#closed) return false;
    this.#parts.runners.update(choices);
    this.#parts.retries.tryDue();
    return this.#parts.scanner.isBrief;
  }

  #forward(event: ManagerEvent): void {
    if ("name" in event && event.name !== undefined) {
      this.#state?.observe(event, this.#parts.manager);
    }
    if (this.#parts.muted.isMuted(event)) return;
    this.#hub.emit(event);
    // What was kept out until now may be there already.
    if (this.#parts.runners.frees(event) && this.#looked && !this.#closed) {
      void this.#scans.request();
    }
  }

  /** Whether it starts, and a scan is to wait: what is kept out would be loaded, until that is known. */
  get #isEarly(): boolean {
    return this.#started !== undefined && !this.#looked;
  }

  #assertOpen(): void {
    if (this.#closed) throw new HotplugError("closed", "The plugin daemon is closed");
  }
}
