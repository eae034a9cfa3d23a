import { HotplugError, type InfoFile, type Scn } from "../../artifact/mod.ts";
import type { FetchInfo } from "../../plugin/mod.ts";
import type { GenerationLife } from "./generation_life.ts";
import type { Hold } from "./hold_book.ts";
import { fillBounds } from "./generation_calls.ts";
import type { Generation } from "./generation.ts";
import type { CallOptions } from "./plugin_handle.ts";

/** How a lease is taken, and what bounds its calls. */
export interface AcquireOptions extends CallOptions {
  /** What {@linkcode PluginManager.whoHolds} calls the holder. */
  readonly label?: string;
  /**
   * Whether an inline plugin answers requests in an async context of its generation's own: what the
   * caller has in an `AsyncLocalStorage` it does not see, as it never does in a worker or process, and
   * a request costs less. Where the span of a trace is under way, it sees all the same.
   *
   * @default false
   */
  readonly detached?: boolean;
}

let take: (life: GenerationLife, options: AcquireOptions) => Lease;

/** Takes a lease on a generation. */
export function takeLease(life: GenerationLife, options: AcquireOptions): Lease {
  return take(life, options);
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
  readonly #life: GenerationLife;
  readonly #options: AcquireOptions;
  readonly #hold: Hold;
  #ended = false;

  /** Made by a manager; see {@linkcode PluginManager.acquire}. */
  private constructor(life: GenerationLife, options: AcquireOptions) {
    this.#life = life;
    this.#options = options;
    this.#hold = life.calls.holds.add("lease", options.label);
  }

  static {
    take = (life, options) => new Lease(life, options);
  }

  /** The generation that is held. */
  get generation(): Generation {
    return this.#life.generation;
  }

  /** The plugin's name. */
  get name(): string {
    return this.#life.generation.name;
  }

  /** The sequence change number of the generation. */
  get scn(): Scn {
    return this.#life.generation.scn;
  }

  /** The generation's info file; undefined for a module that was found without one. */
  get info(): InfoFile | undefined {
    return this.#life.generation.info;
  }

  /** The names of the generation's symbols, sorted. */
  get symbols(): readonly string[] {
    return this.#life.generation.symbols;
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
    return await this.#life.call(symbol, args, this.#options) as T;
  }

  /**
   * Answers a request by `fetch` of the plugin's default export, the convention of `deno serve`. It
   * counts as a call; in a worker or process both bodies are streamed. Keep the lease until the answer
   * was sent. As with such an export, an answer may be there at once, and so may an error.
   *
   * @throws {HotplugError} `symbol` where there is no such export, `closed` after the lease's end; else
   * as {@linkcode Generation.call}, and `TypeError` for an answer that is no `Response`.
   */
  fetch(request: Request, info: FetchInfo): Response | Promise<Response> {
    const { calls, bounds } = this.#life;
    if (this.#held().serves) {
      const { detached = false } = this.#options;
      return calls.fetch(request, info, fillBounds(this.#options, bounds), detached);
    }
    throw new HotplugError(
      "symbol",
      `Plugin "${this.name}" (SCN ${this.scn}) answers no requests: it has no default export with a ` +
        "function `fetch`",
    );
  }

  /** Ends the hold; a second time does nothing. */
  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#life.calls.holds.end(this.#hold);
  }

  /** Ends the hold; a second time does nothing. */
  [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    return Promise.resolve();
  }

  #held(): Generation {
    if (!this.#ended) return this.#life.generation;
    throw new HotplugError(
      "closed",
      `The lease on plugin "${this.name}" (SCN ${this.scn}) has ended; acquire a new one`,
    );
  }
}
