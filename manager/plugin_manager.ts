import { basename, dirname, join } from "@std/path";
import {
  artifactStem,
  HotplugError,
  MAX_INFO_BYTES,
  parseInfo,
  parseInfoFileName,
  tryParseArtifactName,
} from "../artifact/mod.ts";
import { EventHub } from "./event_hub.ts";
import type { ManagerEvent } from "./events.ts";
import type { Generation } from "./generation.ts";
import { installGuards } from "./guards.ts";
import { Lease } from "./lease.ts";
import { locate, type Location, toPath } from "./locate.ts";
import { openArtifact, type OpenWorld } from "./open_artifact.ts";
import { openNewest } from "./open_newest.ts";
import {
  type ManagerOptions,
  type ResolvedManagerOptions,
  resolveManagerOptions,
} from "./options.ts";
import { PluginSlot } from "./plugin_slot.ts";
import { PrivateStore } from "./private_store.ts";
import { readRegularFile } from "./read_file.ts";
import { refusalEvent, toHotplugError } from "./refusal_event.ts";
import { ScopeKeeper } from "./scope_keeper.ts";

/** For so many turns after the end of their signals, plugins are guarded. */
const AFTERMATH_TURNS = 5;

/** How {@linkcode PluginManager.open} goes about it. */
export interface OpenOptions {
  /** Gives the load up when aborted, also for who shares it; its reason is thrown. */
  readonly signal?: AbortSignal;
}

/**
 * Loads plugins, newest wins, and keeps every generation in memory.
 *
 * The idea, and the words, are those of viant/pgo's manager.
 *
 * @example
 * ```ts
 * import { PluginManager } from "@hotplug/hotplug/manager";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * const file = `${directory}/greeter_20250123014512_2_9_5_any_any.mjs`;
 * await Deno.writeTextFile(file, "export const greet = (name) => `Hello, ${name}!`;");
 *
 * await using manager = new PluginManager();
 * const greeter = await manager.open(file);
 * assertEquals(greeter.scn, 20250123014512);
 * assertEquals(await greeter.call("greet", "Ada"), "Hello, Ada!");
 *
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class PluginManager implements AsyncDisposable {
  readonly #options: ResolvedManagerOptions;
  readonly #hub = new EventHub<ManagerEvent>();
  readonly #store = new PrivateStore();
  readonly #slots = new Map<string, PluginSlot>();
  readonly #opening = new Map<string, Promise<Generation>>();
  readonly #aborts: ((reason: unknown) => void)[] = [];
  readonly #scopes = new ScopeKeeper();
  readonly #guards: Disposable | undefined;
  readonly #world: OpenWorld;
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  /**
   * Makes a manager with nothing loaded.
   *
   * @throws {HotplugError} `options` where one is out of its range.
   */
  constructor(options: ManagerOptions = {}) {
    this.#options = resolveManagerOptions(options);
    this.#guards = this.#options.guards ? installGuards() : undefined;
    this.#world = this.#makeWorld();
  }

  /**
   * Opens an artifact and makes it the plugin's current generation.
   *
   * Opens of the same file that are under way at the same time share one load.
   *
   * @param pathOrUrl A path, or a `file:` URL.
   * @throws {PluginOutdatedError} where what is loaded is as new, or the initial SCN is newer.
   * @throws {HotplugError} of another code for what else keeps it from loading; the generation that
   * is current stays so.
   */
  async open(pathOrUrl: string | URL, { signal }: OpenOptions = {}): Promise<Generation> {
    this.#assertOpen();
    let location: Location;
    try {
      location = locate(pathOrUrl);
    } catch (error) {
      throw this.#refused(error, String(pathOrUrl));
    }
    const { path } = location;
    let opening = this.#opening.get(path);
    if (!opening) {
      const closing = this.#closing.signal;
      const world = signal
        ? { ...this.#world, closing: AbortSignal.any([closing, signal]) }
        : this.#world;
      opening = openArtifact(location, world)
        .catch((error) => {
          throw this.#refused(error, path);
        })
        .finally(() => this.#opening.delete(path));
      this.#opening.set(path, opening);
    }
    return await opening;
  }

  /**
   * Opens the artifact that an info file describes.
   *
   * @param pathOrUrl A path, or a `file:` URL, of a `.pinf` file.
   * @throws {HotplugError} `name` and `info` for what is no info file; else as {@linkcode open}.
   */
  async openInfo(pathOrUrl: string | URL): Promise<Generation> {
    this.#assertOpen();
    let artifact: string;
    try {
      const path = toPath(pathOrUrl);
      const parts = parseInfoFileName(basename(path));
      const { info } = parseInfo(await readRegularFile(path, MAX_INFO_BYTES), basename(path));
      const { file } = info.artifact;
      const named = tryParseArtifactName(file);
      if (!named || artifactStem(named) !== artifactStem(parts)) {
        throw new HotplugError("integrity", `Cannot open "${path}": it describes "${file}"`);
      }
      artifact = join(dirname(path), file);
    } catch (error) {
      throw this.#refused(error, String(pathOrUrl));
    }
    return await this.open(artifact);
  }

  /**
   * Opens the newest artifact of a plugin in a folder that loads.
   *
   * @throws {PluginOutdatedError} where nothing is newer than what is loaded.
   * @throws {HotplugError} `not-found` where the folder has none for this host, `io` where it can't
   * be listed; where candidates failed, the error of the newest.
   */
  async openNewest(directory: string, name: string): Promise<Generation> {
    this.#assertOpen();
    return await openNewest(directory, name, {
      options: this.#options,
      closing: this.#closing.signal,
      current: (each) => this.current(each),
      open: (path) => this.open(path),
      refused: (error, path) => void this.#refused(error, path),
    });
  }

  /** The names of the plugins that are loaded, sorted. */
  names(): string[] {
    return [...this.#slots].filter(([, slot]) => slot.current).map(([name]) => name).sort();
  }

  /** The generation that takes new calls; undefined where none is loaded. */
  current(name: string): Generation | undefined {
    return this.#slots.get(name)?.current?.generation;
  }

  /** The plugin's generations in memory, oldest first. */
  generations(name: string): Generation[] {
    return this.#slots.get(name)?.generations ?? [];
  }

  /**
   * Takes a lease on the current generation.
   *
   * @throws {HotplugError} `not-found` where none is loaded.
   */
  acquire(name: string): Lease {
    this.#assertOpen();
    const current = this.#slots.get(name)?.current;
    if (current) return new Lease(current.generation, current.hold());
    const loaded = this.names().join(", ") || "none";
    throw new HotplugError("not-found", `No plugin "${name}" is loaded; loaded: ${loaded}`);
  }

  /** Calls the listener for each event from now on, until disposed of. */
  subscribe(listener: (event: ManagerEvent) => void): Disposable {
    return this.#hub.subscribe(listener);
  }

  /** The events from now on; ends when the manager is closed. */
  events(): AsyncIterableIterator<ManagerEvent> {
    return this.#hub.events();
  }

  /**
   * Ends it: loads under way are given up, signals aborted, guards taken back, files removed; what
   * it has loaded can't be called any more. Twice is as good as once.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const reason = new HotplugError("closed", "The plugin manager was closed");
    // After this turn `#closed` is set, and what is under way gives up.
    await Promise.resolve();
    this.#closing.abort(reason);
    await Promise.allSettled(this.#opening.values());
    for (const slot of this.#slots.values()) slot.close();
    for (const abort of this.#aborts.splice(0)) abort(reason);
    // What that makes plugins reject and throw comes within the next turns.
    for (let turn = 0; this.#guards && turn < AFTERMATH_TURNS; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    this.#guards?.[Symbol.dispose]();
    this.#scopes.close();
    await this.#store.close();
    this.#hub.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new HotplugError("closed", "The plugin manager is closed");
  }

  #slotOf(name: string): PluginSlot {
    let slot = this.#slots.get(name);
    if (!slot) this.#slots.set(name, slot = new PluginSlot());
    return slot;
  }

  /** Tells of an artifact that was not opened; answers with the error to throw. */
  #refused(thrown: unknown, path: string): HotplugError {
    const error = toHotplugError(thrown);
    if (error.code !== "closed") this.#hub.emit(refusalEvent(error, path));
    return error;
  }

  #makeWorld(): OpenWorld {
    return {
      options: this.#options,
      store: this.#store,
      scopes: this.#scopes,
      closing: this.#closing.signal,
      assertOpen: () => this.#assertOpen(),
      slotOf: (name) => this.#slotOf(name),
      incident: ({ path }, { code, message, error }) =>
        this.#hub.emit(refusalEvent(new HotplugError(code, message, { cause: error }), path)),
      flipped: ({ control: { generation }, abort }, previous, durationMs) => {
        this.#aborts.push(abort);
        this.#hub.emit(loadedEvent(generation, previous, durationMs));
      },
    };
  }
}

function loadedEvent(
  { name, scn, path, sha256 }: Generation,
  previous: Generation | undefined,
  durationMs: number,
): ManagerEvent {
  const time = new Date().toISOString();
  return {
    type: "loaded",
    time,
    name,
    scn,
    path,
    sha256,
    ...(previous && { previous: previous.scn }),
    durationMs: Math.round(durationMs * 1000) / 1000,
  };
}
