import {
  type ArtifactName,
  HotplugError,
  type InfoFile,
  type Permissions,
  type Scn,
} from "../../artifact/mod.ts";
import type { Tier } from "../settings/plugin_settings.ts";

/**
 * What a generation is doing:
 *
 * - `starting`: its module is evaluated, it is being activated;
 * - `current`: it takes the calls;
 * - `superseded`: it serves who still holds it;
 * - `drained`: nobody holds it any more, or its time is over; it is being deactivated;
 * - `parked`: inactive, in memory; a rollback takes it back into use;
 * - `retired`: gone.
 */
export type GenerationState =
  | "starting"
  | "current"
  | "superseded"
  | "drained"
  | "parked"
  | "retired";

/** What a generation shows, from its manager's side. */
export interface GenerationSource {
  /** What the artifact's name says. */
  readonly parts: ArtifactName;
  /** The file that it was read from. */
  readonly path: string;
  /** SHA-256 of its content, in hex. */
  readonly sha256: string;
  /** Where it runs. */
  readonly tier: Tier;
  /** The names of its symbols, sorted. */
  readonly symbols: readonly string[];
  /** Whether its default export answers requests. */
  readonly serves: boolean;
  /** Its info file, once there is one. */
  readonly info: InfoFile | undefined;
  /** The permissions that it was let in with. */
  readonly permissions: Permissions;
  /** What it is doing. */
  readonly state: GenerationState;
  /** Why it can't be used any more; undefined as long as it can. */
  readonly gone: HotplugError | undefined;
  /** How many hold it. */
  readonly leases: number;
  /** Whether the symbol is a function. */
  isFunction(symbol: string): boolean;
  /** The value of a symbol. */
  value(symbol: string): unknown;
  /** Calls a symbol. */
  call(symbol: string, args: readonly unknown[]): Promise<unknown>;
}

let create: (source: GenerationSource) => Generation;

/** Makes a generation that shows the source. */
export function createGeneration(source: GenerationSource): Generation {
  return create(source);
}

/**
 * One loaded version of a plugin.
 *
 * A newer one does not touch it: it stays in memory, and can be called, until it is retired. Once
 * it is parked its `deactivate` has run, so that what it opened may be closed.
 */
export class Generation {
  readonly #source: GenerationSource;
  readonly #functions = new Map<string, (...args: unknown[]) => Promise<unknown>>();

  static {
    create = (source) => new Generation(source);
  }

  private constructor(source: GenerationSource) {
    this.#source = source;
  }

  /** The plugin's name. */
  get name(): string {
    return this.#source.parts.name;
  }

  /** Its sequence change number. */
  get scn(): Scn {
    return this.#source.parts.scn;
  }

  /** What its file name says. */
  get artifact(): ArtifactName {
    return this.#source.parts;
  }

  /** The file that it was read from. */
  get path(): string {
    return this.#source.path;
  }

  /** SHA-256 of its content, in hex. */
  get sha256(): string {
    return this.#source.sha256;
  }

  /** Where it runs. */
  get tier(): Tier {
    return this.#source.tier;
  }

  /** The names of its public exports, sorted; hooks are not among them. */
  get symbols(): readonly string[] {
    return this.#source.symbols;
  }

  /** Whether it answers requests: its default export has a function `fetch`. */
  get serves(): boolean {
    return this.#source.serves;
  }

  /** Its info file; undefined for a module that was found without one. */
  get info(): InfoFile | undefined {
    return this.#source.info;
  }

  /** The permissions that it asked for as it was loaded: an info file that comes later asks for none. */
  get permissions(): Permissions {
    return this.#source.permissions;
  }

  /** What it is doing now. */
  get state(): GenerationState {
    return this.#source.state;
  }

  /** How many leases, calls and async iterators hold it now. */
  get leases(): number {
    return this.#source.leases;
  }

  /**
   * The symbol itself. Inline that is the export: no wrapper, no copy, and a call of it holds
   * nothing. In a worker or process a function becomes an async one, whose calls are as those of
   * {@linkcode call}, and any other value the copy that was taken at the load.
   *
   * @throws {HotplugError} `symbol` where the plugin has none of that name, `closed` once its manager
   * is closed, `retired` once it is gone, `clone` for a value of which there is no copy.
   */
  lookup<T = unknown>(symbol: string): T {
    this.#assertHas(symbol);
    const source = this.#source;
    if (source.tier === "inline" || !source.isFunction(symbol)) return source.value(symbol) as T;
    let fn = this.#functions.get(symbol);
    if (!fn) this.#functions.set(symbol, fn = (...args) => source.call(symbol, args));
    return fn as T;
  }

  /**
   * Calls the function of that name and resolves to its result. The generation is held until then;
   * where the result is an async iterator, until that ends.
   *
   * @throws {HotplugError} `symbol` where the plugin has no such function, `closed` once its manager
   * is closed, `retired` once it is gone, `busy` past the calls allowed at a time, `deadline` where
   * it does not end in time; in a worker or process also `crashed`, `protocol` and `clone`; else what
   * the function throws.
   */
  async call<T = unknown>(symbol: string, ...args: unknown[]): Promise<T> {
    this.assertFunction(symbol);
    return await this.#source.call(symbol, args) as T;
  }

  /**
   * Checks that the symbol can be called.
   *
   * @throws {HotplugError} As {@linkcode call} for what can't.
   */
  assertFunction(symbol: string): void {
    this.#assertHas(symbol);
    if (this.#source.isFunction(symbol)) return;
    throw new HotplugError(
      "symbol",
      `Cannot call "${symbol}" of plugin "${this.name}" (SCN ${this.scn}): it is no function; ` +
        "use lookup()",
    );
  }

  #assertHas(symbol: string): void {
    const { gone, symbols } = this.#source;
    if (gone) throw gone;
    if (symbols.includes(symbol)) return;
    const has = symbols.length > 0 ? symbols.join(", ") : "none";
    throw new HotplugError(
      "symbol",
      `Plugin "${this.name}" (SCN ${this.scn}) has no symbol "${symbol}"; it has: ${has}`,
    );
  }
}
