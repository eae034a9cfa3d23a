import { type Hook, HotplugError } from "../artifact/mod.ts";
import type { Approvals } from "./opening/approvals.ts";
import type { HoldEvent, ManagerEvent } from "./events.ts";
import type { Generation } from "./generations/generation.ts";
import type { Drain } from "./generations/drain.ts";
import type { GenerationLife, LifeWorld } from "./generations/generation_life.ts";
import { loadedEvent } from "./loaded_event.ts";
import type { PluginRegistry } from "./generations/plugin_registry.ts";
import { contractsOf } from "./settings/plugin_settings.ts";
import { failsProbation } from "./settings/probation.ts";
import { refuseLooser } from "./settings/refuse_looser.ts";
import { refusalEvent, toHotplugError } from "./refusal_event.ts";
import type { ResolvedManagerOptions } from "./settings/options.ts";
import { demandsOf, refuseContract } from "./artifacts/demands.ts";
import { refuseUntrusted } from "./artifacts/refuse_untrusted.ts";
import type { Flip } from "./opening/open_artifact.ts";
import { rollback, type RollbackOptions, type RolledBack } from "./generations/rollback.ts";

/**
 * Takes a plugin back that fails its probation, from elsewhere: nothing in memory may serve in its
 * place. Rejects where it can't.
 */
export type TakeBack = (bad: Generation, reason: string, error: HotplugError) => Promise<unknown>;

/** What the upkeep needs of its manager. */
export interface UpkeepWorld {
  /** The plugins. */
  readonly registry: PluginRegistry;
  /** Who waits for an approval. */
  readonly approvals: Approvals;
  /** How the manager behaves now. */
  readonly options: ResolvedManagerOptions;
  /** Aborted when the manager closes. */
  readonly closing: AbortSignal;
  /** Throws once the manager is closed. */
  assertOpen(): void;
  /** Tells those who listen. */
  emit(event: ManagerEvent): void;
  /** What takes a plugin back where nothing in memory can; undefined where nothing does. */
  readonly takeBack: TakeBack | undefined;
}

/**
 * What becomes of generations after they were loaded: it retires what the retention does not keep,
 * takes back what fails its probation, and tells of both.
 */
export class Upkeep implements LifeWorld {
  /** How long each hook may take, in milliseconds. */
  readonly hookDeadlines: Readonly<Record<Hook, number>>;
  readonly #world: UpkeepWorld;
  readonly #judged = new WeakSet<GenerationLife>();

  /** Makes the upkeep of a manager. */
  constructor(world: UpkeepWorld) {
    this.#world = world;
    this.hookDeadlines = world.options.hookDeadlines;
  }

  /** Tells of what was loaded, and retires what is not kept beside it. */
  flipped(
    next: GenerationLife,
    previous: GenerationLife | undefined,
    { durationMs, isReopened }: Flip,
  ): void {
    const { registry, approvals, emit } = this.#world;
    registry.know(next);
    approvals.loaded(next.generation, isReopened);
    emit(loadedEvent(next.generation, previous?.generation, durationMs));
    void this.retire(next.generation.name);
  }

  /** Tells of what failed when nobody waited for it. */
  trouble({ generation: { path } }: GenerationLife, error: HotplugError): void {
    this.#world.emit(refusalEvent(error, path));
  }

  /** Tells of a generation that is inactive now, and retires what is not kept. */
  parked({ generation: { name, scn } }: GenerationLife, { idle, forced, durationMs }: Drain): void {
    const rounded = Math.round(durationMs * 1000) / 1000;
    // That it was superseded is told by what was loaded: this would say no more.
    if (!idle) {
      this.#world.emit({ type: "parked", time: now(), name, scn, forced, durationMs: rounded });
    }
    void this.retire(name);
  }

  /** Whoever held a parked generation has left: it may be retired now. */
  left({ generation: { name } }: GenerationLife): void {
    void this.retire(name);
  }

  /** Judges it no more. */
  proven(life: GenerationLife): void {
    this.#judged.add(life);
  }

  /** Takes a generation back whose calls fail in its probation. */
  called(life: GenerationLife): void {
    const { probation } = life.settings;
    if (!probation || life.state !== "current" || this.#judged.has(life)) return;
    if (Date.now() - life.since > probation.window) return;
    const { ended: calls, failed: errors } = life.calls;
    const reason = failsProbation({ calls, errors, crashes: life.crashes }, probation);
    if (reason === undefined) return;
    const { generation } = life;
    const { registry, takeBack } = this.#world;
    // Who has frozen it wants it as it is.
    if (registry.find(generation.name)?.frozen) return;
    this.#judged.add(life);
    void this.#rollback(generation.name, { reason }, { bad: life, automatic: true })
      .catch((error) => {
        if (!takeBack) throw error;
        return takeBack(generation, reason, toHotplugError(error));
      })
      .catch((error) => this.trouble(life, notTakenBack(life, reason, toHotplugError(error))));
  }

  /** Rolls a plugin back, and tells of it. */
  async rollback(name: string, options: RollbackOptions): Promise<Generation> {
    // By its name: what is not loaded makes no plugin.
    const bad = this.#world.registry.current(name);
    // Who says where to means that, whatever came meanwhile.
    const from = options.to === undefined ? bad : undefined;
    const done = await this.#rollback(name, options, { bad: from, automatic: false });
    if (done) return done.target.generation;
    const { generation: { scn } } = this.#world.registry.current(name);
    throw new HotplugError(
      "conflict",
      `Not rolled back: plugin "${name}" was at SCN ${bad.generation.scn}, and meanwhile went on to ` +
        `SCN ${scn}; see whether that is any good, and roll back again if not`,
    );
  }

  /** Lifts the hold of a rollback, and tells of it; answers with whether there was one. */
  release(name: string): boolean {
    return this.#world.registry.release(name) && this.#tell("released", name);
  }

  /** Freezes or thaws a plugin, and tells of it; answers with whether that changed something. */
  setFrozen(name: string, frozen: boolean): boolean {
    return this.#world.registry.setFrozen(name, frozen) &&
      this.#tell(frozen ? "frozen" : "thawed", name);
  }

  #tell(type: HoldEvent["type"], name: string): true {
    this.#world.emit({ type, time: now(), name });
    return true;
  }

  /** Only from the given generation, where one is given: what came meanwhile may be the better one. */
  async #rollback(
    name: string,
    options: RollbackOptions,
    { bad, automatic }: { readonly bad: GenerationLife | undefined; readonly automatic: boolean },
  ): Promise<RolledBack | undefined> {
    const slot = this.#world.registry.slotOf(name);
    const { closing, assertOpen } = this.#world;
    const judge = (life: GenerationLife): Promise<void> => this.#judge(life);
    const done = await rollback(name, slot, options, { closing, assertOpen, judge }, bad);
    if (!done) return undefined;
    this.#world.approvals.rolledBack(name);
    this.#world.emit({
      type: "rolled-back",
      time: now(),
      name,
      scn: done.target.generation.scn,
      from: done.bad.generation.scn,
      held: slot.held,
      reason: options.reason ?? "asked for",
      automatic,
    });
    return done;
  }

  /** What was taken back, as a key or a permission, is not to come back because it is in memory. */
  async #judge({ generation, settings }: GenerationLife): Promise<void> {
    const { options } = this.#world;
    const { trust } = demandsOf(options, generation.name);
    if (trust) await refuseUntrusted(generation, trust);
    refuseContract(generation.path, generation.info, contractsOf(options, generation.name));
    refuseLooser(generation, settings, options);
  }

  /** Retires what the plugin's retention does not keep, now and when its time comes. */
  async retire(name: string): Promise<void> {
    const slot = this.#world.registry.find(name);
    if (!slot) return;
    try {
      for (const { generation: { scn } } of await slot.retire(Date.now())) {
        // It was loaded anew meanwhile, by other settings.
        if (slot.lives.some(({ generation }) => generation.scn === scn)) continue;
        this.#world.emit({ type: "retired", time: now(), name, scn });
      }
    } catch (error) {
      const { current } = slot;
      if (current) this.trouble(current, toHotplugError(error));
    }
    if (!this.#world.closing.aborted) {
      slot.wakeAt(slot.nextRetirement(Date.now()), () => void this.retire(name));
    }
  }
}

/** Nobody asked for it, so it is told what for. */
function notTakenBack(
  { generation: { name, scn } }: GenerationLife,
  reason: string,
  { code, message, cause }: HotplugError,
): HotplugError {
  const failed = `Plugin "${name}" (SCN ${scn}) fails its probation, and serves on: ${reason}`;
  return new HotplugError(code, `${failed}. ${message}`, { cause });
}

function now(): string {
  return new Date().toISOString();
}
