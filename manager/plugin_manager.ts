import { assertPluginName, HotplugError, scanModule, type Scn } from "../artifact/mod.ts";
import type { PendingVersion, WhichVersion } from "./opening/pending_version.ts";
import { Approvals } from "./opening/approvals.ts";
import { EventHub } from "./event_hub.ts";
import type { ManagerEvent } from "./events.ts";
import type { Generation } from "./generations/generation.ts";
import { installGuards, passAftermath } from "./guards/guards.ts";
import { type AcquireOptions, type Lease, takeLease } from "./generations/lease.ts";
import type { OpenOptions } from "./settings/open_options.ts";
import { Opener } from "./opening/opener.ts";
import { type ManagerOptions, resolveManagerOptions } from "./settings/options.ts";
import { type CallOptions, type PluginHandle, pluginHandle } from "./generations/plugin_handle.ts";
import { PluginRegistry } from "./generations/plugin_registry.ts";
import type { GenerationHolder, RestoredHolds } from "./generations/plugin_registry.ts";
import { PrivateStore } from "./artifacts/private_store.ts";
import { incidentEvent, refusalEvent } from "./refusal_event.ts";
import type { RollbackOptions } from "./generations/rollback.ts";
import { ScopeKeeper } from "./guards/scope_keeper.ts";
import type { PluginStatus } from "./generations/status.ts";
import { type TakeBack, Upkeep } from "./upkeep.ts";

/**
 * Loads plugins, newest wins, and keeps every generation in memory. The idea, and the words, are
 * those of viant/pgo's manager.
 *
 * @example
 * ```ts
 * import { PluginManager } from "@hotplug/hotplug/manager";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * const file = `${directory}/greeter_20250123014512_2_9_5_any_any.mjs`;
 * await Deno.writeTextFile(file, "export const greet = (name) => `Hello, ${name}!`;");
 * await using manager = new PluginManager();
 * const greeter = await manager.open(file);
 * assertEquals(await greeter.call("greet", "Ada"), "Hello, Ada!");
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class PluginManager implements AsyncDisposable {
  readonly #hub = new EventHub<ManagerEvent>();
  readonly #store = new PrivateStore();
  readonly #registry = new PluginRegistry();
  readonly #scopes = new ScopeKeeper();
  readonly #guards: Disposable | undefined;
  readonly #upkeep: Upkeep;
  readonly #approvals: Approvals;
  readonly #opener: Opener;
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  /**
   * Makes a manager with nothing loaded. Where nothing in memory may serve in the place of what fails
   * its probation, that is taken back by `takeBack`, if at all.
   * @throws {HotplugError} `options` where one is out of its range.
   */
  constructor(options: ManagerOptions = {}, takeBack?: TakeBack) {
    const resolved = resolveManagerOptions(options);
    this.#guards = resolved.guards ? installGuards() : undefined;
    this.#approvals = new Approvals(resolved.approve);
    const { signal: closing } = this.#closing;
    const assertOpen = (): void => this.#assertOpen();
    const shared = { registry: this.#registry, approvals: this.#approvals, closing, assertOpen };
    const emit = (event: ManagerEvent): void => this.#hub.emit(event);
    this.#upkeep = new Upkeep({ ...shared, options: resolved, emit, takeBack });
    this.#opener = new Opener({
      ...shared,
      options: resolved,
      store: this.#store,
      scopes: this.#scopes,
      life: this.#upkeep,
      refused: (error, path) => emit(refusalEvent(error, path)),
      incident: ({ path }, incident) => emit(incidentEvent(incident, path)),
      flipped: (...flip) => this.#upkeep.flipped(...flip),
    });
  }

  /**
   * Opens an artifact, by its path or a `file:` URL, and makes it the plugin's current generation.
   * Opens of the same file that are under way at the same time share one load.
   * @throws {PluginOutdatedError} where what is loaded is as new, or the initial SCN is newer.
   * @throws {HotplugError} of another code for what else keeps it out; what is current stays so.
   */
  async open(pathOrUrl: string | URL, options: OpenOptions = {}): Promise<Generation> {
    this.#assertOpen();
    return await this.#opener.open(pathOrUrl, options);
  }

  /**
   * Opens the artifact that an info file (`.pinf`) describes; by its path, or a `file:` URL.
   * @throws {HotplugError} `name` and `info` for what is no info file; else as {@linkcode open}.
   */
  async openInfo(pathOrUrl: string | URL): Promise<Generation> {
    this.#assertOpen();
    return await this.#opener.openInfo(pathOrUrl);
  }

  /**
   * Opens the newest artifact of a plugin in a folder that loads.
   * @throws {PluginOutdatedError} where nothing is newer than what is loaded.
   * @throws {HotplugError} `not-found` where the folder has none for this host, `io` where it can't
   * be listed; where candidates failed, the error of the newest.
   */
  async openNewest(directory: string, name: string): Promise<Generation> {
    this.#assertOpen();
    return await this.#opener.openNewest(directory, name);
  }

  /** The names of the plugins that are loaded, sorted. */
  names(): string[] {
    return this.#registry.names();
  }

  /** The generation that takes new calls; undefined where none is loaded. */
  current(name: string): Generation | undefined {
    return this.#registry.find(name)?.current?.generation;
  }

  /** The generation in memory that a rollback would go back to; undefined where there is none. */
  previous(name: string): Generation | undefined {
    return this.#registry.find(name)?.previous?.generation;
  }

  /** The plugin's generations in memory, oldest first. */
  generations(name: string): Generation[] {
    return this.#registry.find(name)?.lives.map(({ generation }) => generation) ?? [];
  }

  /**
   * Takes a lease on the current generation.
   * @throws {HotplugError} `not-found` where none is loaded.
   */
  acquire(name: string, options: AcquireOptions = {}): Lease {
    this.#assertOpen();
    return takeLease(this.#registry.current(name), options);
  }

  /**
   * A handle whose functions call the current generation, whichever that is when the call begins, and
   * hold it until the call ends; where it answers with an async iterator, until that ends.
   *
   * While a plugin that exports `quiesce` is being swapped, calls by a handle wait for the flip.
   * With no plugin loaded the call fails, with `not-found`, not the making of the handle.
   *
   * @example
   * ```ts
   * import type { PluginManager } from "@hotplug/hotplug/manager";
   *
   * interface Pricing {
   *   gross(net: number): number;
   * }
   * async function total(manager: PluginManager, net: number[]): Promise<number> {
   *   const pricing = manager.use<Pricing>("pricing", { deadline: 1_000 });
   *   return (await Promise.all(net.map(pricing.gross))).reduce((sum, each) => sum + each, 0);
   * }
   * ```
   */
  use<T>(name: string, options: CallOptions = {}): PluginHandle<T> {
    return pluginHandle<T>(async (symbol, args, bounds) => {
      this.#assertOpen();
      return await this.#registry.call(name, symbol, args, bounds);
    }, options);
  }

  /** Resolves once calls may begin: not between `quiesce` and flip; undefined where they may now. */
  gate(name: string): Promise<void> | undefined {
    return this.#registry.passGate(name);
  }

  /**
   * Resolves once nobody holds a superseded generation any more, to true, or once its drain deadline
   * has passed or its manager is closed before that, to false.
   * @throws {HotplugError} `not-found` for a generation of another manager.
   */
  async drained(generation: Generation): Promise<boolean> {
    return await this.#registry.lifeOf(generation).drained;
  }

  /** Whether nobody holds a generation of any plugin, or waits for a flip to do so. */
  get isIdle(): boolean {
    return this.#registry.isIdle;
  }

  /** Who holds generations of the plugin now, and since when; the oldest generation first. */
  whoHolds(name: string): GenerationHolder[] {
    return this.#registry.holders(name);
  }

  /**
   * Takes a generation in memory back into use: it is activated, becomes the current one, the bad
   * one drains. From then on nothing up to the bad SCN is loaded, until {@linkcode release}.
   * The bad one is asked to quiesce and hand over as ever, but what it fails at there is passed over.
   * @throws {HotplugError} `not-found` where there is nothing to go back to, `signature` where no key
   * of now signed it, `activation` or `health` where it can't be activated any more, `conflict` where
   * another one became current before its turn, and `to` names none: then the current one stays.
   */
  async rollback(name: string, options: RollbackOptions = {}): Promise<Generation> {
    this.#assertOpen();
    return await this.#upkeep.rollback(name, options);
  }

  /** Lifts the hold of a rollback; answers with whether there was one. */
  release(name: string): boolean {
    return this.#upkeep.release(name);
  }

  /** Keeps the plugin as it is: nothing of it is loaded until {@linkcode thaw}. */
  freeze(name: string): void {
    assertPluginName(name);
    this.#upkeep.setFrozen(name, true);
  }

  /** Ends a freeze; answers with whether there was one. */
  thaw(name: string): boolean {
    return this.#upkeep.setFrozen(name, false);
  }

  /** Opens by these options from now on, but for guards, hook deadlines, `approve`; names what runs otherwise. */
  reconfigure(options: ManagerOptions): string[] {
    return this.#opener.reconfigure(options);
  }

  /** Makes ready what the first load needs, so that it need not wait for it: folder and lexer. */
  async prepare(): Promise<void> {
    await Promise.all([this.#store.prepare(), scanModule("")]);
  }

  /** Takes over what kept versions of the plugin out in an earlier process; nothing is told of it. */
  restore(name: string, holds: RestoredHolds): void {
    assertPluginName(name);
    this.#opener.restore(name, holds);
  }

  /**
   * Opens a version that waits for an approval (see {@linkcode ManagerOptions.approve}), the newest one
   * if no other is named, as its file was when it was held.
   * @throws {HotplugError} `not-found` where none waits, `conflict`; else as {@linkcode open}.
   */
  async approve(name: string, one?: WhichVersion, options?: OpenOptions): Promise<Generation> {
    this.#assertOpen();
    return await this.#opener.approve(name, one, options);
  }

  /** The versions that wait for an approval, by name and then by SCN. */
  pending(): PendingVersion[] {
    return this.#approvals.list();
  }

  /** Whether a rollback or a freeze keeps an SCN of the plugin out. */
  isHeld(name: string, scn: Scn): boolean {
    return this.#registry.isHeld(name, scn);
  }

  /** How all plugins stand, sorted by name. */
  status(): PluginStatus[] {
    return this.#registry.status();
  }

  /** How one plugin stands; undefined where nothing of it is loaded, held or frozen. */
  statusOf(name: string): PluginStatus | undefined {
    return this.#registry.statusOf(name);
  }

  /** Calls the listener for each event from now on, until disposed of. */
  subscribe(listener: (event: ManagerEvent) => void): Disposable {
    return this.#hub.subscribe(listener);
  }

  /** The events from now on; ends when the manager is closed. */
  events(): AsyncIterableIterator<ManagerEvent> {
    return this.#hub.events();
  }

  /** Ends it, once: loads are given up, what is active is deactivated, guards and files are removed. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    // After this turn `#closed` is set, and what is under way gives up.
    await Promise.resolve();
    this.#closing.abort(new HotplugError("closed", "The plugin manager was closed"));
    await this.#opener.settled();
    await this.#registry.close();
    if (this.#guards) await passAftermath();
    this.#guards?.[Symbol.dispose]();
    this.#scopes.close();
    await this.#store.close();
    this.#hub.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new HotplugError("closed", "The plugin manager is closed");
  }
}
