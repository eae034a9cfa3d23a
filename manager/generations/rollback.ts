import { HotplugError, type Scn } from "../../artifact/mod.ts";
import type { GenerationLife } from "./generation_life.ts";
import type { PluginSlot } from "./plugin_slot.ts";
import { swap } from "./swap.ts";

/** How a rollback goes about it. */
export interface RollbackOptions {
  /**
   * The SCN to go back to, or on to; it must be in memory.
   *
   * @default the older one that served before, and was not rolled back from
   */
  readonly to?: Scn;
  /**
   * Why, for the event.
   *
   * @default {"asked for"}
   */
  readonly reason?: string;
}

/** What a rollback needs of its manager. */
export interface RollbackWorld {
  /** Aborted when the manager closes. */
  readonly closing: AbortSignal;
  /** Throws once the manager is closed. */
  assertOpen(): void;
  /** Rejects for what may not serve any more. */
  judge(life: GenerationLife): Promise<void>;
}

/** What a rollback has led to. */
export interface RolledBack {
  /** What is current now. */
  readonly target: GenerationLife;
  /** What was current before. */
  readonly bad: GenerationLife;
}

/**
 * Takes a generation that is in memory back into use, and holds everything up to the one that was
 * current.
 *
 * @param bad The generation to roll back from; another one being current, nothing is done.
 * @throws {HotplugError} `not-found` where there is nothing to go back to; what keeps the target from
 * being activated, or serving at all: then the current one stays, and is not held.
 */
export function rollback(
  name: string,
  slot: PluginSlot,
  options: RollbackOptions,
  world: RollbackWorld,
  bad?: GenerationLife,
): Promise<RolledBack | undefined> {
  return slot.enqueue(async () => {
    world.assertOpen();
    const { current } = slot;
    if (!current) {
      throw new HotplugError("not-found", `Cannot roll back "${name}": it is not loaded`);
    }
    if (bad && bad !== current) return undefined;
    const target = chooseTarget(name, slot, options.to);
    await world.judge(target).catch((error) => {
      throw refused(name, target, error);
    });
    await target.settled();
    if (target.hooks.active) resume(slot, target, current);
    else await reactivate(slot, target, world);
    slot.condemn(current);
    return { target, bad: current };
  });
}

/** It is not drained yet: it just goes on. */
function resume(slot: PluginSlot, target: GenerationLife, current: GenerationLife): void {
  slot.flip(target);
  // Told as trouble where it fails; there is nothing better to go to.
  void target.hooks.resume();
  current.supersede();
}

async function reactivate(
  slot: PluginSlot,
  next: GenerationLife,
  world: RollbackWorld,
): Promise<void> {
  next.revive();
  const { closing: signal, assertOpen: beforeFlip } = world;
  await swap({ slot, next, reason: "rollback", signal, handover: true, beforeFlip });
}

function refused(name: string, { generation: { scn } }: GenerationLife, error: unknown): unknown {
  if (!(error instanceof HotplugError)) return error;
  const { code, message } = error;
  return new HotplugError(
    code,
    `Cannot roll "${name}" back to SCN ${scn}: ${message.replace(/^Cannot/, "cannot")}; name ` +
      "another one (to, --to), or publish one",
    { cause: error },
  );
}

function chooseTarget(name: string, slot: PluginSlot, to: Scn | undefined): GenerationLife {
  const { lives, previous } = slot;
  const others = lives.filter((each) => each !== slot.current);
  const target = to === undefined
    ? previous
    : others.findLast((each) => each.generation.scn === to);
  if (target) return target;
  const current = `the current one (SCN ${slot.current?.generation.scn})`;
  const inMemory = others.map(({ generation }) => generation.scn).join(", ");
  throw new HotplugError(
    "not-found",
    to === undefined && inMemory !== ""
      ? `Cannot roll "${name}" back: what is in memory beside ${current} is newer, or was rolled back ` +
        `from, too; name what to go to all the same (to, --to): ${inMemory}`
      : `Cannot roll "${name}" back${
        to === undefined ? "" : ` to SCN ${to}`
      }: no such generation ` +
        `is in memory beside ${current}; there: ${inMemory || "none"}`,
  );
}
