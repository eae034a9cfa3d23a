import * as v from "valibot";
import type { RestoredHolds } from "../../manager/mod.ts";
import {
  HotplugError,
  isPluginName,
  isScn,
  isSha256,
  PERMISSION_KINDS,
  type Permissions,
  type Scn,
} from "../../artifact/mod.ts";

/** A generation whose bytes are kept. */
export interface KeptGeneration {
  /** Its sequence change number. */
  readonly scn: Scn;
  /** SHA-256 of its content, in hex. */
  readonly sha256: string;
  /** The file's name. */
  readonly file: string;
  /** Where it was found. */
  readonly path: string;
  /**
   * The permissions that it asked for.
   *
   * @default unknown: written before there was this
   */
  readonly permissions?: Permissions;
}

/** A version that was being loaded when the process ended, or had just been. */
export interface Suspect {
  /** Its sequence change number. */
  readonly scn: Scn;
  /** Where it was found. */
  readonly path: string;
  /** Which load that was: found again, it counts no second time. */
  readonly load?: string;
  /**
   * How often it was found loading, since it was found just loaded.
   *
   * @default {1}
   */
  readonly loading?: number;
  /**
   * How often it was found just loaded.
   *
   * @default {0}
   */
  readonly loaded?: number;
}

/** What is kept out for good, and why. */
export interface Quarantined extends Pick<Suspect, "scn" | "path"> {
  /** Why. */
  readonly reason: string;
  /** Since when, as an ISO 8601 time. */
  readonly since: string;
}

/** The entry of a version in the quarantine of its plugin; undefined where it has none. */
export function inQuarantine(
  { quarantine }: Pick<PluginRecord, "quarantine">,
  scn: Scn,
): Quarantined | undefined {
  return quarantine.find((each) => each.scn === scn);
}

/** Whether a version was being loaded when a process ended, and was not cleared of that since. */
export function isSuspect(record: Pick<PluginRecord, "suspects">, scn: Scn): boolean {
  return suspectsOf(record).some((each) => each.scn === scn);
}

/** What is suspect of a plugin: to have just been loaded is none to be so for the first time. */
export function suspectsOf({ suspects }: Pick<PluginRecord, "suspects">): Suspect[] {
  return suspects.filter(({ loading = 1, loaded = 0 }) => loading > 0 || loaded > 1);
}

/** What is remembered of one plugin. */
export interface PluginRecord {
  /** Nothing below this SCN is loaded: it was current once, and not released since. */
  readonly floor: Scn;
  /** Nothing up to this SCN is loaded: it was rolled back from. 0 for no such hold. */
  readonly held: Scn;
  /** Whether nothing is loaded until it is thawed. */
  readonly frozen: boolean;
  /** What is current: the last that was good. */
  readonly current?: KeptGeneration;
  /** What was current before. */
  readonly previous?: KeptGeneration;
  /** What was being loaded when the process ended, or had just been. */
  readonly suspects: readonly Suspect[];
  /** What is kept out. */
  readonly quarantine: readonly Quarantined[];
}

/** What is kept of a plugin, the newest first. */
export function keptOf(
  { current, previous }: Pick<PluginRecord, "current" | "previous">,
): KeptGeneration[] {
  return [current, previous].filter((each) => each !== undefined).sort((a, b) => b.scn - a.scn);
}

/** What is reopened of a plugin, in that order: of a frozen one nothing newer than what it is frozen at. */
export function reopenedOf(record: PluginRecord): KeptGeneration[] {
  const most = record.frozen ? record.current?.scn ?? 0 : Infinity;
  return keptOf(record).filter(({ scn }) => scn <= most);
}

/** What keeps versions of the plugin out, for its manager. */
export function holdsOf(record: PluginRecord): RestoredHolds {
  const { held, frozen } = record;
  // Not what stands in for that, though the plugin be frozen there.
  const [current] = keptOf(record);
  return { held, frozen, crashed: suspectsOf(record).length > 0, ...(current && { current }) };
}

/** The records of all plugins, by name. */
export type PluginRecords = ReadonlyMap<string, PluginRecord>;

/** The format that this version reads and writes. */
export const STATE_FORMAT = 1;

/** A plugin of which nothing is known. */
export const NO_RECORD: PluginRecord = {
  floor: 0,
  held: 0,
  frozen: false,
  suspects: [],
  quarantine: [],
};

/** Why a text is no state: it was written by a newer version, or it is damaged. */
export type StateFault = { readonly kind: "newer" | "corrupt"; readonly why: string };

const scn = v.custom<Scn>(isScn, "must be an SCN");
const floor = v.custom<Scn>((value) => value === 0 || isScn(value), "must be an SCN or 0");
const kept = v.object({
  scn,
  sha256: v.custom<string>(isSha256, "must be a SHA-256"),
  // No way out of the folder that it is kept in.
  file: v.pipe(v.string(), v.regex(/^(?!\.{1,2}$)[^/\\\0]+$/)),
  path: v.string(),
  permissions: v.exactOptional(
    v.record(v.picklist(PERMISSION_KINDS), v.union([v.literal(true), v.array(v.string())])),
  ),
});
const found = v.object({ scn, path: v.string() });
const times = v.pipe(v.number(), v.integer(), v.minValue(0));
const schema = v.object({
  format: v.literal(STATE_FORMAT),
  // A list, not an object: a plugin may well be named `constructor`.
  plugins: v.array(
    v.object({
      name: v.custom<string>((value) => isPluginName(value as string), "must be a plugin's name"),
      floor,
      held: floor,
      frozen: v.boolean(),
      current: v.exactOptional(kept),
      previous: v.exactOptional(kept),
      suspects: v.array(v.object({
        ...found.entries,
        load: v.exactOptional(v.string()),
        loading: v.exactOptional(times),
        loaded: v.exactOptional(times),
      })),
      quarantine: v.array(v.object({ ...found.entries, reason: v.string(), since: v.string() })),
    }),
  ),
});

/**
 * Writes the records.
 *
 * @throws {HotplugError} `state` where a plugin has changed what JSON is written of: better an old one.
 */
export function formatState(records: PluginRecords): string {
  if (JSON.stringify({ list: [0] }) !== '{"list":[0]}') throw notJson();
  const plugins = [...records]
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, record]) => ({ name, ...record }));
  return `${JSON.stringify({ format: STATE_FORMAT, plugins }, undefined, 1)}\n`;
}

function notJson(): HotplugError {
  return new HotplugError(
    "state",
    "a plugin has changed `JSON`, or has given all arrays or objects a `toJSON`; run it in a worker, and " +
      "start again",
  );
}

/** Reads the records, or says why that can't be done. */
export function parseState(text: string): Map<string, PluginRecord> | StateFault {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { kind: "corrupt", why: (error as Error).message };
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof format === "number" && format > STATE_FORMAT) {
    const why = `it has format ${format}, this version reads ${STATE_FORMAT}`;
    return { kind: "newer", why };
  }
  const result = v.safeParse(schema, value);
  if (result.success) {
    return new Map(result.output.plugins.map(({ name, ...record }) => [name, record]));
  }
  const [issue] = result.issues;
  return { kind: "corrupt", why: `${v.getDotPath(issue) ?? "it"}: ${issue.message}` };
}

/** So many versions of a plugin stay in quarantine, the newest. */
const MOST_QUARANTINED = 50;

/** What is in quarantine, and one more. */
export function withOneMore(
  quarantine: readonly Quarantined[],
  one: Quarantined,
): readonly Quarantined[] {
  return [...quarantine, one].slice(-MOST_QUARANTINED);
}
