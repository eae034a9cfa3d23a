import { HotplugError, type Scn } from "../artifact/mod.ts";
import {
  type Generation,
  type ManagerEvent,
  PluginManager,
  type RollbackOptions,
} from "../manager/mod.ts";
import { describeError } from "../manager/describe_error.ts";
import { EventHub } from "../manager/event_hub.ts";
import { DirectoryWatch } from "./directory_watch.ts";
import type { DaemonEvent } from "./events.ts";
import { checkLogLevel, type LogLevel } from "./log_level.ts";
import { type DaemonOptions, resolveDaemonOptions, type ResolvedDaemonOptions } from "./options.ts";
import { RunnerPool } from "./runner_pool.ts";
import { ScanScheduler } from "./scan_scheduler.ts";
import { Scanner } from "./scanner.ts";
import type { DaemonStatus, QuarantinedVersion } from "./status.ts";
import { WatchLog } from "./watch_log.ts";

/** How long a load may keep a newer artifact of its plugin waiting, in milliseconds. */
const PATIENCE = 1_000;

/**
 * Watches directories and keeps the newest version of every plugin in them loaded.
 *
 * Events of the file system are hints; a listing of the directory is the truth, taken after each
 * hint and on a timer. What fails to load leaves the generation before it in place.
 *
 * @example
 * ```ts
 * import { PluginDaemon } from "@hotplug/hotplug/daemon";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * await using daemon = new PluginDaemon({ watch: [directory], bareSettle: 0 });
 * await daemon.start();
 *
 * const events = daemon.events();
 * const file = `${directory}/greeter_20261123014512_2_9_5_any_any.mjs`;
 * await Deno.writeTextFile(file, "export const greet = (name) => `Hello, ${name}!`;");
 * for await (const event of events) {
 *   if (event.type === "loaded") break;
 * }
 * using greeter = daemon.manager.acquire("greeter");
 * assertEquals(await greeter.call("greet", "Ada"), "Hello, Ada!");
 *
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class PluginDaemon implements AsyncDisposable {
  readonly #options: ResolvedDaemonOptions;
  readonly #hub = new EventHub<DaemonEvent>();
  readonly #manager: PluginManager;
  readonly #watches: DirectoryWatch[];
  readonly #scans = new ScanScheduler(() => this.#scan());
  readonly #runners: RunnerPool;
  readonly #scanner: Scanner;
  readonly #watchLog = new WatchLog();
  #logLevel: LogLevel;
  #startedAt: number | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #started: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Makes a daemon that has not begun; see {@linkcode start}.
   *
   * @throws {HotplugError} `options` where one is out of its range.
   */
  constructor(options: DaemonOptions) {
    this.#options = resolveDaemonOptions(options);
    this.#manager = new PluginManager(this.#options.managerOptions);
    this.#manager.subscribe((event) => this.#forward(event));
    this.#logLevel = this.#options.logLevel;
    this.#scanner = new Scanner({
      options: this.#options.manager,
      manager: this.#manager,
      unlisted: (directory, error) =>
        this.#tell(this.#watchLog.unlisted(directory, describeError(error))),
      skipped: (event) => this.#hub.emit(event),
    });
    this.#runners = new RunnerPool({
      manager: this.#manager,
      backoff: this.#options,
      bareSettle: this.#options.manager.bareSettle,
      patience: PATIENCE,
      emit: (event) => this.#hub.emit(event),
    });
    this.#watches = this.#options.watch.map((directory) =>
      new DirectoryWatch(directory, {
        hint: () => void this.#scans.request(),
        state: (...news) => this.#tell(this.#watchLog.watched(directory, ...news)),
      })
    );
  }

  /** What has the plugins loaded; to look up, call and lease them. It closes with the daemon. */
  get manager(): PluginManager {
    return this.#manager;
  }

  /**
   * Begins to watch; resolves once all that was there is loaded, or has failed to.
   *
   * @throws {HotplugError} `closed` where the daemon is closed already.
   */
  start(): Promise<void> {
    return this.#started ??= this.#start();
  }

  /** Looks at all directories now; resolves once what was found is loaded, or has failed to. */
  async scan(): Promise<void> {
    this.#assertOpen();
    await Promise.all(this.#watches.map((each) => each.check()));
    await this.#scans.request();
    await this.#runners.settled();
  }

  /** How it stands. */
  status(): DaemonStatus {
    const { rss, heapUsed, heapTotal, external } = Deno.memoryUsage();
    const started = this.#startedAt;
    return {
      ready: this.#timer !== undefined && !this.#closed,
      closed: this.#closed !== undefined,
      ...(started !== undefined && { startedAt: new Date(started).toISOString() }),
      uptimeMs: started === undefined ? 0 : Math.max(0, Date.now() - started),
      watch: this.#options.watch.map((each) => this.#watchLog.status(each)),
      plugins: this.#manager.status(),
      pending: this.#manager.pending(),
      quarantine: this.quarantine(),
      memory: { rss, heapUsed, heapTotal, external },
      scans: this.#scanner.status,
      logLevel: this.#logLevel,
    };
  }

  /**
   * Takes an older generation back into use, and holds what was current; see
   * {@linkcode PluginManager.rollback}.
   *
   * @throws {HotplugError} As the manager does.
   */
  async rollback(name: string, options: RollbackOptions = {}): Promise<Generation> {
    this.#assertOpen();
    return await this.#manager.rollback(name, options);
  }

  /** Lifts the hold of a rollback, and scans; resolves to whether there was one. */
  // deno-lint-ignore require-await
  async release(name: string): Promise<boolean> {
    this.#assertOpen();
    return this.#manager.release(name);
  }

  /**
   * Keeps the plugin as it is until {@linkcode thaw}.
   *
   * @throws {HotplugError} `name` for what is no plugin's name.
   */
  // deno-lint-ignore require-await
  async freeze(name: string): Promise<void> {
    this.#assertOpen();
    this.#manager.freeze(name);
  }

  /** Ends a freeze, and scans; resolves to whether there was one. */
  // deno-lint-ignore require-await
  async thaw(name: string): Promise<boolean> {
    this.#assertOpen();
    return this.#manager.thaw(name);
  }

  /**
   * Opens a version that waits for an approval, the newest one if no SCN is given.
   *
   * @throws {HotplugError} `not-found` where none waits; else as {@linkcode PluginManager.open}.
   */
  async approve(name: string, scn?: Scn): Promise<Generation> {
    this.#assertOpen();
    return await this.#manager.approve(name, scn);
  }

  /** The versions in quarantine, by name and then by SCN. */
  quarantine(): QuarantinedVersion[] {
    return [];
  }

  /** Lets a version out of quarantine, and scans; resolves to whether it was there. */
  // deno-lint-ignore require-await
  async releaseQuarantine(name: string, scn: Scn): Promise<boolean> {
    this.#assertOpen();
    return this.quarantine().some((each) => each.name === name && each.scn === scn);
  }

  /** What is logged; events are told whatever it is. */
  get logLevel(): LogLevel {
    return this.#logLevel;
  }

  /**
   * Sets what is logged from now on.
   *
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

  /** Stops watching, lets the load that is under way end, and closes the manager. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<void> {
    this.#assertOpen();
    const began = performance.now();
    this.#startedAt = Date.now();
    const { watch, rootCheck, scanInterval } = this.#options;
    await Promise.all(this.#watches.map((each) => each.start(rootCheck)));
    await this.#scans.request();
    await this.#runners.settled();
    if (this.#closed) return;
    this.#timer = setInterval(() => void this.#scans.request(), scanInterval);
    this.#hub.emit({
      type: "ready",
      time: now(),
      watch,
      plugins: this.#manager.names(),
      durationMs: Math.round((performance.now() - began) * 1000) / 1000,
    });
  }

  async #close(): Promise<void> {
    // After this turn `#closed` is set, which all that is under way looks at.
    await Promise.resolve();
    clearInterval(this.#timer);
    await Promise.all(this.#watches.map((each) => each.close()));
    await this.#scans.close();
    // The manager gives up what is loading, so that the runners need not wait for its deadline.
    await Promise.all([this.#manager.close(), this.#runners.close()]);
    await this.#started?.catch(() => {});
    this.#hub.emit({ type: "stopped", time: now() });
    this.#hub.close();
  }

  async #scan(): Promise<void> {
    const choices = await this.#scanner.scan(this.#options.watch);
    if (!this.#closed) this.#runners.update(choices);
  }

  #forward(event: ManagerEvent): void {
    if (this.#runners.isMuted(event)) return;
    this.#hub.emit(event);
    // What was kept out until now may be there already.
    const freed = event.type === "released" || event.type === "thawed";
    if (freed && this.#timer !== undefined && !this.#closed) void this.#scans.request();
  }

  #tell(event: DaemonEvent | undefined): void {
    if (event) this.#hub.emit(event);
  }

  #assertOpen(): void {
    if (this.#closed) throw new HotplugError("closed", "The plugin daemon is closed");
  }
}

function now(): string {
  return new Date().toISOString();
}
