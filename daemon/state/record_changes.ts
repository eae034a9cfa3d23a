import type { Scn } from "../../artifact/mod.ts";
import { basename } from "@std/path";
import type { Generation } from "../../manager/mod.ts";
import {
  inQuarantine,
  isSuspect,
  type KeptGeneration,
  keptOf,
  type PluginRecord,
} from "./state_record.ts";

/** What is current of a plugin, or was before. */
export type Served = Pick<Generation, "scn" | "sha256" | "path" | "permissions">;

/** What is kept of what is served: the same object where the record has it. */
export function keptAs(
  record: PluginRecord,
  { scn, sha256, path, permissions }: Served,
  foundAt: (path: string) => string,
): KeptGeneration {
  return keptOf(record).find((each) => each.scn === scn && each.sha256 === sha256) ?? {
    ...{ scn, sha256, file: basename(path), path: foundAt(path), permissions },
  };
}

/** What of an earlier process may be gone back to, where nothing in memory may: best of all what has bytes. */
export function refugeOf(
  record: PluginRecord,
  scn: Scn,
  isKept: (kept: KeptGeneration) => boolean,
): KeptGeneration | undefined {
  const good = keptOf(record).filter((each) => each.scn < scn && !inQuarantine(record, each.scn));
  return good.find(isKept) ?? good[0];
}

/** What comes of what a version was let in with: its info file may be another one than it was. */
export function afterLetIn(
  { current, previous }: PluginRecord,
  { scn, sha256, permissions }: Served,
): RecordChange | undefined {
  const asked = JSON.stringify(permissions);
  const change = (kept: KeptGeneration | undefined): KeptGeneration | undefined =>
    kept?.scn === scn && kept.sha256 === sha256 && JSON.stringify(kept.permissions) !== asked
      ? { ...kept, permissions }
      : kept;
  const next = { current: change(current), previous: change(previous) };
  if (next.current === current && next.previous === previous) return undefined;
  return {
    ...(next.current && { current: next.current }),
    ...(next.previous && { previous: next.previous }),
  };
}

/** What changes in a record. */
export type RecordChange = Partial<PluginRecord>;

/**
 * What comes of a load, where `before` is what a rollback would go back to; undefined where nothing changes.
 * A generation is the one of the record where it is the same object.
 */
export function afterLoad(
  record: PluginRecord,
  next: KeptGeneration,
  before: KeptGeneration | undefined,
): RecordChange | undefined {
  const { current, previous, floor, suspects } = record;
  const standsIn = next === previous && current !== undefined && next.scn < current.scn;
  // What stands in for what could not be reopened, or is beside what is on trial, is no newer version.
  const isKnown = next === current || standsIn;
  const kept = isKnown
    ? [current, previous]
    : [next, isAwaited(record, next, before) ? current : before];
  // What is older and kept may yet be opened, and has not shown that it ends no process.
  const left = suspects.filter(({ scn }) =>
    scn >= next.scn || kept.some((each) => each?.scn === scn)
  );
  if (next === current && left.length === suspects.length) return undefined;
  const change = { floor: Math.max(floor, next.scn), suspects: left };
  return isKnown ? change : { ...change, current: kept[0], previous: kept[1] };
}

/**
 * Whether what was current is yet to be tried, since it was loading as the process ended. Until then what
 * stood in for it is no better to go back to.
 */
function isAwaited(
  record: PluginRecord,
  next: KeptGeneration,
  before: KeptGeneration | undefined,
): boolean {
  const { scn } = record.current ?? { scn: 0 };
  return isSuspect(record, scn) && !inQuarantine(record, scn) && scn < next.scn &&
    scn > (before?.scn ?? 0);
}

/** What comes of a rollback to `served`: what it was rolled back from is bad, nothing goes back to that. */
export function afterRollback(
  { previous }: PluginRecord,
  held: Scn,
  served: KeptGeneration,
  before: KeptGeneration | undefined,
): RecordChange {
  const older = [before, previous].find((each) => each && each.scn < served.scn);
  return { held, current: served, previous: older };
}

/** What comes of a freeze at `served`, which may be what stands in for what was current. */
export function afterFreeze(
  { current, previous }: PluginRecord,
  served: KeptGeneration | undefined,
): RecordChange {
  const standsIn = served !== undefined && served === previous;
  return { frozen: true, ...(standsIn && { current: previous, previous: current }) };
}
