import { type ErrorCode, HotplugError, type Scn } from "../../artifact/mod.ts";
import type { Generation, PluginManager } from "../../manager/mod.ts";
import type { DaemonState } from "../state/daemon_state.ts";
import type { StateEvent } from "../events.ts";
import type { Loader } from "./loader.ts";
import { stateEvent } from "../state/state_events.ts";
import { isSuspect, type KeptGeneration } from "../state/state_record.ts";

/** What reopening needs of its daemon. */
export interface ReopenWorld {
  /** What was remembered. */
  readonly state: DaemonState;
  /** What takes the holds over, and has loaded what came meanwhile. */
  readonly manager: Pick<PluginManager, "restore" | "current">;
  /** What opens the artifacts. */
  readonly loader: Loader;
  /** How long a new version of a plugin is under probation, in milliseconds; undefined for not at all. */
  probationOf(name: string): number | undefined;
  /** Tells those who listen. */
  emit(event: StateEvent): void;
}

/** Why kept bytes can't be what was kept: then they are looked for where they were found. */
export const DAMAGED: ReadonlySet<ErrorCode> = new Set(["integrity", "info", "signature"]);
/** Why nothing kept is wanted any more: it closes, or there is something newer, or what it is frozen at. */
const NOT_WANTED: ReadonlySet<ErrorCode> = new Set(["closed", "outdated", "frozen"]);

/**
 * Takes the holds of an earlier process over, and reopens of each plugin what was current, or where
 * that is suspect or can't be opened, what was current before. Answers with the plugins of which
 * nothing could be reopened, and why.
 */
export async function reopenLast(world: ReopenWorld): Promise<Map<string, HotplugError>> {
  const { state, manager } = world;
  const names = state.names();
  for (const name of names) manager.restore(name, state.holdsOf(name));
  const faults = await Promise.all(names.map((name) => reopenPlugin(name, world)));
  return new Map(names.flatMap((name, index) => faults[index] ? [[name, faults[index]]] : []));
}

/** Reopens a version from where it is kept, or where that is damaged, from where it was found. */
export async function reopenKept(
  name: string,
  kept: KeptGeneration,
  { state, loader }: Pick<ReopenWorld, "state" | "loader">,
  condemn?: Scn,
): Promise<Generation> {
  const atFound = (): Promise<Generation> => loader.reopen(kept.path, kept, condemn);
  const path = state.keptAt(name, kept);
  if (path === undefined) return await atFound();
  try {
    return await loader.reopen(path, kept, condemn);
  } catch (error) {
    if (!(error instanceof HotplugError) || !DAMAGED.has(error.code)) throw error;
    if (!isThere(kept.path)) throw error;
    return await atFound();
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Reopens what was current of a plugin, or before. Answers with why nothing could be reopened; undefined where something was, or there is nothing. */
export async function reopenPlugin(
  name: string,
  world: ReopenWorld,
  suspectsToo = false,
): Promise<HotplugError | undefined> {
  const { state, manager, emit } = world;
  const record = state.record(name);
  const { current, previous, floor } = record;
  if (!current) return undefined;
  let fault: HotplugError | undefined;
  const mayReopen = (kept: KeptGeneration | undefined): kept is KeptGeneration =>
    kept !== undefined && !state.isQuarantined(name, kept.scn) &&
    (suspectsToo || !isSuspect(record, kept.scn));
  if (mayReopen(current) && mayReopen(previous) && isOnTrial(name, current, previous, world)) {
    // What fails is told, and nothing is there to go back to then.
    await reopenKept(name, previous, world).catch(() => {});
  }
  for (const kept of [current, previous]) {
    if (!mayReopen(kept)) continue;
    // While the one before failed, something newer may have come.
    if ((manager.current(name)?.scn ?? 0) >= kept.scn) return undefined;
    try {
      await reopenKept(name, kept, world);
      return undefined;
    } catch (error) {
      if (!(error instanceof HotplugError)) throw error;
      // It closes before what is current is back: that is so the next time, too.
      if (error.code === "closed" && kept === current) state.remain(name, { current, previous });
      if (NOT_WANTED.has(error.code)) return undefined;
      fault ??= error;
    }
  }
  if (!fault) return undefined;
  emit(stateEvent(
    "not-reopened",
    `Plugin "${name}" was at SCN ${current.scn}, which can't be reopened (${fault.code}); nothing ` +
      `below SCN ${floor} is loaded: publish one, or release the plugin`,
    name,
  ));
  return fault;
}

/**
 * Whether a version was so new as the process ended that it was still under probation: then it needs what
 * served before beside it. By when its bytes were kept: a version that has proved to be good is not to be
 * taken back because what it works with is not up yet.
 */
function isOnTrial(
  name: string,
  current: KeptGeneration,
  previous: KeptGeneration,
  { state, probationOf }: ReopenWorld,
): boolean {
  const window = probationOf(name);
  const path = state.keptAt(name, current);
  if (window === undefined || path === undefined || previous.scn >= current.scn) return false;
  const { mtime } = Deno.lstatSync(path);
  return mtime !== null && Date.now() - mtime.getTime() <= window;
}
