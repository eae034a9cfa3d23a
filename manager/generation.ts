import { type ArtifactName, HotplugError, type InfoFile, type Scn } from "../artifact/mod.ts";
import type { ModuleNamespace } from "./import_module.ts";
import { type PluginScope, runInScope } from "./plugin_scope.ts";

/** What a generation is doing: `current` takes the calls, `superseded` serves who still holds it. */
export type GenerationState = "current" | "superseded";

/** What a generation is made from. */
export interface GenerationInit {
  /** What the artifact's name says. */
  readonly parts: ArtifactName;
  /** The file that it was read from. */
  readonly path: string;
  /** SHA-256 of its content, in hex. */
  readonly sha256: string;
  /** Its info file; undefined for a bare module. */
  readonly info: InfoFile | undefined;
  /** The names of its symbols, sorted. */
  readonly symbols: readonly string[];
  /** Its exports, hooks included. */
  readonly module: ModuleNamespace;
  /** Its code as the guards know it. */
  readonly scope: PluginScope;
}

/** The manager's hand on a generation. */
export interface GenerationControl {
  /** The generation. */
  readonly generation: Generation;
  /** Marks it as no longer the current one. */
  supersede(): void;
  /** Adds the info file that came after the load. */
  complete(info: InfoFile): void;
  /** Ends its use: its manager is closed. */
  close(): void;
  /** Counts one more lease; answers with how to end it. */
  hold(): () => void;
}

let create: (init: GenerationInit) => GenerationControl;

/** Makes a generation in the state `current`. */
export function createGeneration(init: GenerationInit): GenerationControl {
  return create(init);
}

/**
 * One loaded version of a plugin.
 *
 * It stays in memory, and usable, for as long as its manager: a newer one does not touch it.
 */
export class Generation {
  /** The plugin's name. */
  readonly name: string;
  /** Its sequence change number. */
  readonly scn: Scn;
  /** What its file name says. */
  readonly artifact: ArtifactName;
  /** The file that it was read from. */
  readonly path: string;
  /** SHA-256 of its content, in hex. */
  readonly sha256: string;
  /** The names of its public exports, sorted; hooks are not among them. */
  readonly symbols: readonly string[];
  readonly #module: ModuleNamespace;
  readonly #scope: PluginScope;
  #info: InfoFile | undefined;
  #state: GenerationState = "current";
  #leases = 0;
  #closed = false;

  static {
    create = (init) => {
      const generation = new Generation(init);
      return {
        generation,
        supersede: () => void (generation.#state = "superseded"),
        complete: (info) => void (generation.#info ??= info),
        close: () => void (generation.#closed = true),
        hold: () => generation.#hold(),
      };
    };
  }

  private constructor(init: GenerationInit) {
    this.name = init.parts.name;
    this.scn = init.parts.scn;
    this.artifact = init.parts;
    this.path = init.path;
    this.sha256 = init.sha256;
    this.symbols = init.symbols;
    this.#info = init.info;
    this.#module = init.module;
    this.#scope = init.scope;
  }

  /** Its info file; undefined for a module that was found without one. */
  get info(): InfoFile | undefined {
    return this.#info;
  }

  /** What it is doing now. */
  get state(): GenerationState {
    return this.#state;
  }

  /** How many leases and calls hold it now. */
  get leases(): number {
    return this.#leases;
  }

  /**
   * The export of that name, itself: no wrapper, no copy.
   *
   * @throws {HotplugError} `symbol` where the plugin has none of that name, `closed` once its manager
   * is closed.
   */
  lookup<T = unknown>(symbol: string): T {
    if (this.#closed) {
      throw new HotplugError(
        "closed",
        `Plugin "${this.name}" (SCN ${this.scn}) is gone: its manager is closed`,
      );
    }
    if (!this.symbols.includes(symbol)) {
      const has = this.symbols.length > 0 ? this.symbols.join(", ") : "none";
      throw new HotplugError(
        "symbol",
        `Plugin "${this.name}" (SCN ${this.scn}) has no symbol "${symbol}"; it has: ${has}`,
      );
    }
    return this.#module[symbol] as T;
  }

  /**
   * Calls the function of that name and resolves to its result.
   *
   * @throws {HotplugError} `symbol` where the plugin has no such function, `closed` once its manager
   * is closed; else what the function throws.
   */
  async call<T = unknown>(symbol: string, ...args: unknown[]): Promise<T> {
    const fn = this.lookup(symbol);
    if (typeof fn !== "function") {
      throw new HotplugError(
        "symbol",
        `Cannot call "${symbol}" of plugin "${this.name}" (SCN ${this.scn}): it is no function; ` +
          "use lookup()",
      );
    }
    this.#leases++;
    try {
      return await runInScope(this.#scope, fn as (...args: unknown[]) => unknown, ...args) as T;
    } finally {
      this.#leases--;
    }
  }

  #hold(): () => void {
    this.#leases++;
    let held = true;
    return () => {
      if (held) this.#leases--;
      held = false;
    };
  }
}
