import { byName } from "../../artifact/by_name.ts";
import { HotplugError, type Permissions, type Scn } from "../../artifact/mod.ts";
import type { Generation } from "./generation.ts";
import type { CallBounds } from "./generation_calls.ts";
import type { GenerationLife } from "./generation_life.ts";
import type { Holder } from "./hold_book.ts";
import { PluginSlot } from "./plugin_slot.ts";
import { type PluginStatus, pluginStatus } from "./status.ts";

/** Who holds which generation. */
export interface GenerationHolder extends Holder {
  /** The sequence change number of the generation. */
  readonly scn: Scn;
}

/** A version that was current in an earlier process. */
export interface CurrentBefore {
  /** Its sequence change number. */
  readonly scn: Scn;
  /**
   * The permissions that it asked for.
   *
   * @default none
   */
  readonly permissions?: Permissions;
}

/** What kept versions of a plugin out in an earlier process, or would have. */
export interface RestoredHolds {
  /** Nothing up to this SCN is loaded: it was rolled back from. */
  readonly held?: Scn;
  /** Whether nothing is loaded at all. */
  readonly frozen?: boolean;
  /** Whether it ended its process, so that its versions are tried in one that is thrown away first. */
  readonly crashed?: boolean;
  /** What was current: what asks for more waits for an approval, though this does not run again yet. */
  readonly current?: CurrentBefore;
}

/** The plugins of a manager, by name. */
export class PluginRegistry {
  readonly #slots = new Map<string, PluginSlot>();
  readonly #lives = new WeakMap<Generation, GenerationLife>();

  /** The plugin; made where there is none yet. */
  slotOf(name: string): PluginSlot {
    let slot = this.#slots.get(name);
    if (!slot) this.#slots.set(name, slot = new PluginSlot());
    return slot;
  }

  /** The plugin, if there is something of it. */
  find(name: string): PluginSlot | undefined {
    return this.#slots.get(name);
  }

  /** Forgets a plugin that nothing came of: names come and go, and may be many. */
  forgetEmpty(name: string): void {
    if (this.#slots.get(name)?.isEmpty) this.#slots.delete(name);
  }

  /** Remembers which life a generation has. */
  know(life: GenerationLife): void {
    this.#lives.set(life.generation, life);
  }

  /**
   * The life of a generation.
   *
   * @throws {HotplugError} `not-found` where it is none of this manager's.
   */
  lifeOf(generation: Generation): GenerationLife {
    const life = this.#lives.get(generation);
    if (life) return life;
    throw new HotplugError(
      "not-found",
      `Plugin "${generation.name}" (SCN ${generation.scn}) was loaded by another manager`,
    );
  }

  /** The names of the plugins that are loaded, sorted. */
  names(): string[] {
    return [...this.#slots].filter(([, slot]) => slot.current).map(([name]) => name).sort();
  }

  /**
   * The current generation.
   *
   * @throws {HotplugError} `not-found` where none is loaded.
   */
  current(name: string): GenerationLife {
    const current = this.#slots.get(name)?.current;
    if (current) return current;
    const loaded = this.names().join(", ") || "none";
    throw new HotplugError("not-found", `No plugin "${name}" is loaded; loaded: ${loaded}`);
  }

  /** Resolves once calls may begin: not between a quiesce and the flip; undefined where they may. */
  passGate(name: string): Promise<void> | undefined {
    return this.#slots.get(name)?.gate;
  }

  /** Whether nobody holds a generation of any plugin, or waits to. */
  get isIdle(): boolean {
    return [...this.#slots.values()].every((each) => each.isIdle);
  }

  /** Takes the holds of an earlier process over. */
  restore(name: string, { held = 0, frozen = false }: RestoredHolds): void {
    const slot = this.slotOf(name);
    slot.held = Math.max(slot.held, held);
    slot.frozen ||= frozen;
  }

  /** Calls a function of the generation that is current once calls may begin. */
  async call(
    name: string,
    symbol: string,
    args: readonly unknown[],
    bounds: Partial<CallBounds>,
  ): Promise<unknown> {
    await this.passGate(name);
    const life = this.current(name);
    life.generation.assertFunction(symbol);
    return await life.call(symbol, args, bounds);
  }

  /** Lifts the hold of a rollback; answers with whether there was one. */
  release(name: string): boolean {
    const slot = this.#slots.get(name);
    if (!slot || slot.held === 0) return false;
    slot.held = 0;
    return true;
  }

  /** Freezes or thaws a plugin; answers with whether that changes something. */
  setFrozen(name: string, frozen: boolean): boolean {
    if (!frozen && !this.#slots.has(name)) return false;
    const slot = this.slotOf(name);
    if (slot.frozen === frozen) return false;
    slot.frozen = frozen;
    return true;
  }

  /** Whether a rollback or a freeze keeps an SCN of the plugin out. */
  isHeld(name: string, scn: Scn): boolean {
    const slot = this.#slots.get(name);
    return slot !== undefined && (slot.frozen || scn <= slot.held);
  }

  /** Who holds the plugin's generations now, the oldest generation first. */
  holders(name: string): GenerationHolder[] {
    const lives = this.#slots.get(name)?.lives ?? [];
    return lives.flatMap(({ generation: { scn }, calls }) =>
      calls.holds.list().map((holder) => ({ scn, ...holder }))
    );
  }

  /** How the plugins stand, sorted by name; without those that nothing was ever loaded or said of. */
  status(): PluginStatus[] {
    return [...this.#slots]
      .filter(([, slot]) => isOfNote(slot))
      .map(([name, slot]) => pluginStatus(name, slot))
      .sort(byName);
  }

  /** How one plugin stands; undefined where nothing was ever loaded or said of it. */
  statusOf(name: string): PluginStatus | undefined {
    const slot = this.#slots.get(name);
    return slot && isOfNote(slot) ? pluginStatus(name, slot) : undefined;
  }

  /** Ends all generations. */
  async close(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => slot.close()));
  }
}

function isOfNote(slot: PluginSlot): boolean {
  return slot.lives.length > 0 || slot.frozen || slot.held > 0;
}
