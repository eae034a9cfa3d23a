import { basename } from "@std/path";
import { type ErrorCode, HotplugError, tryParseArtifactName } from "../artifact/mod.ts";
import { type Choice, choose, type ManagerEvent, PluginManager } from "../manager/mod.ts";
import { describeError } from "../manager/describe_error.ts";
import { EventHub } from "../manager/event_hub.ts";
import { DirectoryWatch } from "./directory_watch.ts";
import { EntryMemory } from "./entry_memory.ts";
import type { DaemonEvent, RetriedEvent } from "./events.ts";
import type { Failure } from "./failure_log.ts";
import { listDirectories } from "./list_directories.ts";
import { type DaemonOptions, resolveDaemonOptions, type ResolvedDaemonOptions } from "./options.ts";
import { PluginRunner, type RunnerWorld } from "./plugin_runner.ts";
import { ScanScheduler } from "./scan_scheduler.ts";
import { SkipLog } from "./skip_log.ts";
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
  readonly #runners = new Map<string, PluginRunner>();
  readonly #skips = new SkipLog();
  readonly #entries = new EntryMemory();
  readonly #muted = new Map<string, (code: ErrorCode) => boolean>();
  readonly #watchLog = new WatchLog();
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
    await this.#settled();
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
    const { watch, rootCheck, scanInterval } = this.#options;
    await Promise.all(this.#watches.map((each) => each.start(rootCheck)));
    await this.#scans.request();
    await this.#settled();
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
    await Promise.all([
      this.#manager.close(),
      ...[...this.#runners.values()].map((each) => each.close()),
    ]);
    await this.#started?.catch(() => {});
    this.#hub.emit({ type: "stopped", time: now() });
    this.#hub.close();
  }

  async #settled(): Promise<void> {
    await Promise.all([...this.#runners.values()].map((each) => each.settled()));
  }

  async #scan(): Promise<void> {
    const listings = await listDirectories(
      this.#options.watch,
      (directory, error) => this.#tell(this.#watchLog.unlisted(directory, describeError(error))),
    );
    if (this.#closed) return;
    this.#entries.turn();
    const choices = choose(listings, {
      options: this.#options.manager,
      currentScn: (name) => this.#manager.current(name)?.scn,
      isHeld: (name, scn) => this.#manager.isHeld(name, scn),
      now: Date.now(),
      readEntry: (file) => this.#entries.read(file),
    });
    for (const event of this.#skips.news(choices.values())) this.#hub.emit(event);
    for (const name of this.#runners.keys()) {
      if (!choices.has(name)) choices.set(name, { name, candidates: [], skips: [], twins: [] });
    }
    // First those with something to open: the others just look at files that they know.
    const [idle, due] = partition([...choices.values()], (each) => each.candidates.length > 0);
    for (const choice of [...due, ...idle]) this.#act(choice);
  }

  #act(choice: Choice): void {
    const nothing = choice.candidates.length === 0 && choice.twins.length === 0;
    let runner = this.#runners.get(choice.name);
    if (nothing && (!runner || runner.idle)) {
      this.#runners.delete(choice.name);
      void runner?.close();
      return;
    }
    if (!runner) this.#runners.set(choice.name, runner = new PluginRunner(this.#runnerWorld()));
    runner.update(choice);
  }

  #runnerWorld(): RunnerWorld {
    return {
      manager: this.#manager,
      backoff: this.#options,
      bareSettle: this.#options.manager.bareSettle,
      patience: PATIENCE,
      muted: (path, isNews, fn) => this.#mute(path, isNews, fn),
      retried: (failure, outcome) => this.#tellRetried(failure, outcome),
    };
  }

  async #mute<T>(
    path: string,
    isNews: (code: ErrorCode) => boolean,
    fn: () => Promise<T>,
  ): Promise<T> {
    this.#muted.set(path, isNews);
    try {
      return await fn();
    } finally {
      this.#muted.delete(path);
    }
  }

  #forward(event: ManagerEvent): void {
    if (event.type !== "loaded" && "code" in event && event.path !== undefined) {
      if (this.#muted.get(event.path)?.(event.code) === false) return;
    }
    this.#hub.emit(event);
    // What was kept out until now may be there already.
    const freed = event.type === "released" || event.type === "thawed";
    if (freed && this.#timer !== undefined && !this.#closed) void this.#scans.request();
  }

  #tell(event: DaemonEvent | undefined): void {
    if (event) this.#hub.emit(event);
  }

  #tellRetried(
    { path, scn, attempts, code }: Failure,
    outcome: RetriedEvent["outcome"],
  ): void {
    const name = tryParseArtifactName(basename(path))?.name ?? "";
    this.#hub.emit({ type: "retried", time: now(), name, scn, path, attempts, outcome, code });
  }

  #assertOpen(): void {
    if (this.#closed) throw new HotplugError("closed", "The plugin daemon is closed");
  }
}

function partition<T>(all: readonly T[], matches: (each: T) => boolean): [T[], T[]] {
  return [all.filter((each) => !matches(each)), all.filter(matches)];
}

function now(): string {
  return new Date().toISOString();
}
