import { HotplugError, type Scn } from "../../artifact/mod.ts";
import { admit, admitReopened, refusalError } from "./admit.ts";
import { demandsOf, refuseContract } from "../artifacts/demands.ts";
import type { Approvals } from "./approvals.ts";
import type { Generation } from "../generations/generation.ts";
import type { GenerationLife } from "../generations/generation_life.ts";
import { loadArtifact, type LoadWorld } from "./load_artifact.ts";
import type { Location } from "../artifacts/locate.ts";
import type { ResolvedManagerOptions } from "../settings/options.ts";
import { PluginOutdatedError } from "./outdated.ts";
import { contractsOf, handsOver } from "../settings/plugin_settings.ts";
import type { PluginRegistry } from "../generations/plugin_registry.ts";
import type { PluginSlot } from "../generations/plugin_slot.ts";
import { refuseConflict } from "./refuse_conflict.ts";
import { refuseOther } from "./refuse_other.ts";
import type { OpenOptions } from "../settings/open_options.ts";
import { type ReadArtifact, readArtifact, refuseUnfinished } from "../artifacts/read_artifact.ts";
import { swap } from "../generations/swap.ts";

/** What opening needs of its manager. */
export interface OpenWorld extends LoadWorld {
  /** The plugins. */
  readonly registry: PluginRegistry;
  /** Who waits for an approval. */
  readonly approvals: Approvals;
  /** Told of every flip, right after it. */
  flipped(next: GenerationLife, previous: GenerationLife | undefined, flip: Flip): void;
  /** Throws once the manager is closed. */
  assertOpen(): void;
}

/** How a generation became the current one. */
export interface Flip {
  /** How long that took since `open` began, in milliseconds. */
  readonly durationMs: number;
  /** Whether it was current in an earlier process, and is not new. */
  readonly isReopened: boolean;
}

/**
 * Opens an artifact: the whole load sequence, from its name to the flip.
 *
 * Whatever fails before the flip leaves the current generation as it is.
 */
export async function openArtifact(
  location: Location,
  world: OpenWorld,
  { handover: asked, reopen, begins, verified }: OpenOptions = {},
): Promise<Generation> {
  const { options } = world;
  const started = performance.now();
  const slot = world.registry.slotOf(location.parts.name);
  const wasFrozen = slot.frozen;
  refuseByName(location, slot, options, reopen);
  return await slot.enqueue(async () => {
    world.assertOpen();
    world.closing.throwIfAborted();
    // By its SCN once more, since another load of this plugin may have come first.
    if (reopen) {
      if (reopen.condemn === undefined) refuseAsNew(location, slot);
      else refuseInsteadOf(location, slot, reopen.condemn);
    } else {
      refuseOlder(location, slot);
      await refuseLoaded(location, slot, options);
      refuseHeld(location, slot);
    }
    refuseUnfinished(location);
    const { path, parts: { name, scn } } = location;
    begins?.({ name, scn, path });
    const demands = demandsOf(options, name);
    const files = new Map<string, Uint8Array<ArrayBuffer>>();
    let told: void | Promise<void>;
    const read = async (): Promise<ReadArtifact> => {
      const seen = verified && ((file: string, bytes: Uint8Array<ArrayBuffer>) => {
        files.set(file, bytes);
      });
      const artifact = await readArtifact({ ...location, ...(seen && { seen }) }, demands);
      refuseContract(path, artifact.info, contractsOf(options, name));
      checkAllowed(location, artifact, world, reopen);
      told = verified?.({ name, scn, path, sha256: artifact.sha256, files });
      // Waited for before it starts: what it does goes on beside the placing.
      told?.catch(() => {});
      return artifact;
    };
    const next = await loadArtifact(location, read, world, () => told).catch(async (error) => {
      // Nothing of this open goes on once it has failed.
      await Promise.allSettled([told]);
      throw error;
    });
    if (reopen?.proven) world.life.proven(next);
    const { closing: signal } = world;
    const beforeFlip = (): void => {
      world.assertOpen();
      // It may have been frozen while this one was starting.
      if (!reopen) refuseHeld(location, slot);
      // At what is current by now, and not at what is reopened.
      else if (!wasFrozen && reopen.condemn === undefined && slot.current) {
        refuseFrozen(location, slot);
      }
    };
    const handover = asked ?? handsOver(options, name);
    const previous = await swap({ slot, next, reason: "load", signal, handover, beforeFlip });
    if (previous && reopen?.condemn !== undefined) slot.condemn(previous);
    const durationMs = performance.now() - started;
    world.flipped(next, previous, { durationMs, isReopened: reopen !== undefined });
    return next.generation;
  });
}

/** Refuses what is not what it is to be: what was current, or a version of its own that may come in. */
function checkAllowed(
  location: Location,
  artifact: ReadArtifact,
  { approvals, registry }: OpenWorld,
  reopen: OpenOptions["reopen"],
): void {
  const slot = registry.find(location.parts.name);
  const running = slot?.current?.generation;
  if (!reopen) {
    // Those that are parked as well: they may be gone back to.
    for (const { generation } of slot?.lives ?? []) refuseConflict(location, artifact, generation);
    return approvals.check(location, artifact, running);
  }
  const { sha256, permissions } = reopen;
  refuseOther(location, artifact, sha256);
  if (permissions) approvals.checkReopened(location, artifact, permissions, running);
}

/** Refuses what the name alone tells is not for this host, or not for now. */
function refuseByName(
  location: Location,
  slot: PluginSlot,
  options: ResolvedManagerOptions,
  reopen: OpenOptions["reopen"],
): void {
  const refusal = reopen ? admitReopened(location.parts, options) : admit(location.parts, options);
  if (reopen && !refusal) return;
  if (refusal?.code === "outdated") throw outdated(location, slot, refusal.reason);
  if (refusal) throw refusalError(location.file, refusal);
  refuseOlder(location, slot);
}

function outdated(location: Location, slot: PluginSlot, reason: string): PluginOutdatedError {
  return new PluginOutdatedError(
    `Not opened "${location.file}": ${reason}`,
    location.parts.scn,
    slot.current?.generation,
  );
}

/** Refuses, by the name alone, what is older than the current generation. */
function refuseOlder(location: Location, slot: PluginSlot): void {
  const current = slot.current?.generation;
  if (!current || location.parts.scn >= current.scn) return;
  throw outdated(location, slot, `SCN ${current.scn} is loaded and newer`);
}

/** Refuses to reopen what is current by now, or older than that. */
function refuseAsNew(location: Location, slot: PluginSlot): void {
  refuseOlder(location, slot);
  if (location.parts.scn === slot.current?.generation.scn) throw outdated(location, slot, LOADED);
}

/** Refuses to take the place of anything but what is bad: what came meanwhile may be the better one. */
function refuseInsteadOf(location: Location, slot: PluginSlot, bad: Scn): void {
  const current = slot.current?.generation.scn;
  if (current === bad) return;
  const by = current === undefined ? "nothing" : `SCN ${current}`;
  throw outdated(
    location,
    slot,
    `it was to take the place of SCN ${bad}, and ${by} is current by now`,
  );
}

/** Refuses what a rollback or a freeze keeps out, by the name alone. */
function refuseHeld(location: Location, slot: PluginSlot): void {
  refuseFrozen(location, slot);
  const { file, parts } = location;
  if (parts.scn > slot.held) return;
  throw new HotplugError(
    "held",
    `Not opened "${file}": plugin "${parts.name}" was rolled back, and nothing up to SCN ` +
      `${slot.held} is loaded; build a newer one, or release the hold`,
  );
}

function refuseFrozen({ file, parts }: Location, slot: PluginSlot): void {
  if (!slot.frozen) return;
  throw new HotplugError(
    "frozen",
    `Not opened "${file}": plugin "${parts.name}" is frozen; thaw it first`,
  );
}

/** Refuses what is the current generation already, or claims to be it. */
async function refuseLoaded(
  location: Location,
  slot: PluginSlot,
  options: ResolvedManagerOptions,
): Promise<void> {
  const current = slot.current;
  if (!current || location.parts.scn !== current.generation.scn) return;
  const { generation } = current;
  refuseUnfinished(location);
  const artifact = await readArtifact(location, demandsOf(options, location.parts.name));
  refuseConflict(location, artifact, generation);
  if (artifact.info && artifact.sha256 === generation.sha256) current.complete(artifact.info);
  throw outdated(location, slot, LOADED);
}

const LOADED = "it is loaded already";
