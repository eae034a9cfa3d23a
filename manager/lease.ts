import { HotplugError, type InfoFile, type Scn } from "../artifact/mod.ts";
import type { Generation } from "./generation.ts";
import type { CallOptions } from "./plugin_handle.ts";

/** How a lease is taken, and what bounds its calls. */
export interface AcquireOptions extends CallOptions {
  /** What {@linkcode PluginManager.whoHolds} calls the holder. */
  readonly label?: string;
}

/** What a lease holds, and how it calls it. */
export interface LeaseSource {
  /** What is held. */
  readonly generation: Generation;
  /** Calls a symbol of it. */
  call(symbol: string, args: readonly unknown[]): Promise<unknown>;
  /** Ends the hold. */
  end(): void;
}

/**
 * A hold on one generation: while it lasts, every call goes to the same version of the plugin.
 *
 * Dispose of it when the work is done, with `using` as a rule.
 *
 * @example
 * ```ts
 * import type { PluginManager } from "@hotplug/hotplug/manager";
 *
 * async function checkout(manager: PluginManager, items: string[]): Promise<string[]> {
 *   using pricing = manager.acquire("pricing");
 *   const quotes: string[] = [];
 *   for (const item of items) quotes.push(await pricing.call<string>("quote", item));
 *   return quotes;
 * }
 * ```
 */
export class Lease implements Disposable, AsyncDisposable {
  readonly #source: LeaseSource;
  #ended = false;

  /** Made by a manager; see {@linkcode PluginManager.acquire}. */
  constructor(source: LeaseSource) {
    this.#source = source;
  }

  /** The generation that is held. */
  get generation(): Generation {
    return this.#source.generation;
  }

  /** The plugin's name. */
  get name(): string {
    return this.#source.generation.name;
  }

  /** The sequence change number of the generation. */
  get scn(): Scn {
    return this.#source.generation.scn;
  }

  /** The generation's info file; undefined for a module that was found without one. */
  get info(): InfoFile | undefined {
    return this.#source.generation.info;
  }

  /** The names of the generation's symbols, sorted. */
  get symbols(): readonly string[] {
    return this.#source.generation.symbols;
  }

  /**
   * The export of that name, itself.
   *
   * @throws {HotplugError} `symbol` where there is none, `closed` after the lease's end.
   */
  lookup<T = unknown>(symbol: string): T {
    return this.#held().lookup<T>(symbol);
  }

  /**
   * Calls the function of that name and resolves to its result.
   *
   * @throws {HotplugError} `closed` after the lease's end; else as {@linkcode Generation.call}.
   */
  async call<T = unknown>(symbol: string, ...args: unknown[]): Promise<T> {
    this.#held().assertFunction(symbol);
    return await this.#source.call(symbol, args) as T;
  }

  /** Ends the hold; a second time does nothing. */
  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#source.end();
  }

  /** Ends the hold; a second time does nothing. */
  [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    return Promise.resolve();
  }

  #held(): Generation {
    if (!this.#ended) return this.#source.generation;
    throw new HotplugError(
      "closed",
      `The lease on plugin "${this.name}" (SCN ${this.scn}) has ended; acquire a new one`,
    );
  }
}
