import { type ErrorCode, HotplugError, type Scn } from "../../artifact/mod.ts";
import type { Generation, PluginManager } from "../../manager/mod.ts";
import type { DaemonState } from "../state/daemon_state.ts";
import type { StateEvent } from "../events.ts";
import type { Loader, ReopenHow } from "./loader.ts";
import { stateEvent } from "../state/state_events.ts";
import {
  isSuspect,
  type KeptGeneration,
  type PluginRecord,
  reopenedOf,
} from "../state/state_record.ts";

/** What reopening needs of its daemon. */
export interface ReopenWorld {
  /** What was remembered. */
  readonly state: DaemonState;
  /** What takes the holds over, and has loaded what came meanwhile. */
  readonly manager: Pick<PluginManager, "restore" | "current">;
  /** What opens the artifacts. */
  readonly loader: Pick<Loader, "reopen">;
  /** How long a new version of a plugin is under probation, in milliseconds; undefined for not at all. */
  probationOf(name: string): number | undefined;
  /** Tells those who listen. */
  emit(event: StateEvent): void;
}

/** Why kept bytes can't be what was kept: then they are looked for where they were found. */
export const DAMAGED: ReadonlySet<ErrorCode> = new Set(["integrity", "info", "signature"]);
/** Why nothing kept is wanted any more: it closes, or there is something newer, or what it is frozen at. */
const NOT_WANTED: ReadonlySet<ErrorCode> = new Set(["closed", "outdated", "frozen"]);

/** What was to be reopened, and could not be. */
export interface NotReopened extends KeptGeneration {
  /** Why. */
  readonly code: ErrorCode;
}

/** How to reopen a plugin. */
export interface ReopenOptions {
  /**
   * Whether what is suspect is reopened as well.
   *
   * @default {false}
   */
  readonly suspectsToo?: boolean;
  /**
   * Whether it is known that nothing is loaded of it.
   *
   * @default {false}
   */
  readonly quiet?: boolean;
}

/**
 * Takes the holds of an earlier process over, and reopens of each plugin what was current, or where
 * that is suspect or can't be opened, what was current before. Answers with what could not be reopened,
 * by the plugin's name.
 */
export async function reopenLast(world: ReopenWorld): Promise<Map<string, NotReopened>> {
  const { state, manager } = world;
  const names = state.names();
  for (const name of names) manager.restore(name, state.holdsOf(name));
  const lost = await Promise.all(names.map((name) => reopenPlugin(name, world)));
  return new Map(names.flatMap((name, index) => lost[index] ? [[name, lost[index]]] : []));
}

/** Reopens a version from where it is kept, or where that is damaged, from where it was found. */
export async function reopenKept(
  name: string,
  kept: KeptGeneration,
  { state, loader }: Pick<ReopenWorld, "state" | "loader">,
  how?: ReopenHow,
): Promise<Generation> {
  const atFound = (): Promise<Generation> => loader.reopen(kept.path, kept, how);
  const path = state.keptAt(name, kept);
  if (path === undefined) return await atFound();
  try {
    return await loader.reopen(path, kept, how);
  } catch (error) {
    if (!(error instanceof HotplugError) || !DAMAGED.has(error.code)) throw error;
    if (!isThere(kept.path)) throw error;
    return await atFound();
  }
}

/** Reopens a version: what has proved to be good is under no probation any more. */
export async function reopenInPlace(
  name: string,
  kept: KeptGeneration,
  world: ReopenWorld,
): Promise<Generation> {
  return await reopenKept(name, kept, world, { proven: !isOnTrial(name, kept, world) });
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Whether a plugin is frozen at what stands in for a version. */
export function isFrozenOut(
  name: string,
  scn: Scn,
  { frozen, current }: Pick<PluginRecord, "frozen" | "current">,
  manager: ReopenWorld["manager"],
): boolean {
  return frozen && manager.current(name) !== undefined && current?.scn !== scn;
}

/**
 * Reopens what was current of a plugin, or where that can't be, what was before. Answers with what could
 * not be reopened though it is wanted; undefined where nothing is.
 */
export async function reopenPlugin(
  name: string,
  world: ReopenWorld,
  { suspectsToo = false, quiet = false }: ReopenOptions = {},
): Promise<NotReopened | undefined> {
  const { state, manager } = world;
  const record = state.record(name);
  const [last, older] = reopenedOf(record);
  if (!last) return undefined;
  let lost: NotReopened | undefined;
  const mayReopen = (kept: KeptGeneration | undefined): kept is KeptGeneration =>
    kept !== undefined && !state.isQuarantined(name, kept.scn) &&
    (suspectsToo || !isSuspect(record, kept.scn));
  const isNew = !manager.current(name) && mayReopen(last) && mayReopen(older);
  if (isNew && isOnTrial(name, last, world)) {
    // What fails is told, and nothing is there to go back to then.
    await reopenKept(name, older, world).catch(() => {});
  }
  for (const kept of [last, older]) {
    if (!mayReopen(kept)) continue;
    // While the one before failed, something newer may have come.
    if ((manager.current(name)?.scn ?? 0) >= kept.scn) break;
    try {
      await reopenInPlace(name, kept, world);
      break;
    } catch (error) {
      if (!(error instanceof HotplugError)) throw error;
      if (NOT_WANTED.has(error.code)) return undefined;
      lost ??= { ...kept, code: error.code };
    }
  }
  const loaded = manager.current(name)?.scn ?? 0;
  if (loaded === 0 && !quiet) tellNotReopened(name, lost, world);
  return lost && loaded < lost.scn ? lost : undefined;
}

function tellNotReopened(
  name: string,
  lost: NotReopened | undefined,
  { state, emit }: ReopenWorld,
): void {
  const record = state.record(name);
  const [last] = reopenedOf(record);
  if (!last) return;
  const out = reopenedOf(record).every(({ scn }) => state.isQuarantined(name, scn));
  // What is suspect is yet to be tried.
  if (!lost && !out) return;
  const tried = reopenedOf(record).find(({ scn }) =>
    isSuspect(record, scn) && !state.isQuarantined(name, scn)
  );
  const why = lost
    ? `${lost.scn === last.scn ? "which" : `and SCN ${lost.scn}`} can't be reopened (${lost.code})`
    : "which is in quarantine; let it out when it is mended";
  const next = tried ? `SCN ${tried.scn} is tried once more, after all others` : remedyOf(record);
  const message = `Plugin "${name}" was at SCN ${last.scn}, ${why}; ${next}`;
  emit(stateEvent("not-reopened", message, name));
}

/** What else is not loaded, and what to do. */
function remedyOf({ floor, held }: PluginRecord): string {
  if (held > 0 && held >= floor) {
    return `nothing up to SCN ${held}, which was rolled back from, is loaded: publish a newer one, or ` +
      "release the plugin, which lets that in again";
  }
  return floor > 0
    ? `nothing below SCN ${floor} is loaded: publish one, or release the plugin`
    : "publish a version that loads";
}

/**
 * Whether a version was so new as the process ended that it was still under probation: then it needs what
 * served before beside it. By when its bytes were kept: a version that has proved to be good is not to be
 * taken back because what it works with is not up yet.
 */
function isOnTrial(
  name: string,
  last: KeptGeneration,
  { state, probationOf }: ReopenWorld,
): boolean {
  const window = probationOf(name);
  const path = state.keptAt(name, last);
  if (window === undefined || path === undefined) return false;
  const { mtime } = Deno.lstatSync(path);
  return mtime !== null && Date.now() - mtime.getTime() <= window;
}
