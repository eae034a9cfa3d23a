import type { UnendedLoad } from "./load_journal.ts";
import {
  inQuarantine,
  isSuspect,
  NO_RECORD,
  type PluginRecord,
  type PluginRecords,
  type Suspect,
  withOneMore,
} from "./state_record.ts";

/** What came of a load that had not ended when the process did, or only just had. */
export interface JudgedLoad {
  /** The load. */
  readonly load: UnendedLoad;
  /**
   * Its version is `suspected` or `quarantined`; `noted` where that is not enough for either, or `out` where
   * it was in quarantine before.
   */
  readonly verdict: "suspected" | "quarantined" | "noted" | "out";
  /** What is remembered of its plugin from then on. */
  readonly record: PluginRecord;
}

/** Found so often, a version that was suspect before goes into quarantine. */
const MOST_LOADING = 2;
const MOST_LOADED = 4;

/**
 * What comes of what was loading as the process ended, or had just been loaded, by what was remembered
 * before. A version that was found loading is suspect, and condemned when it was so already, and was alone:
 * else something that had just been loaded may have ended the process. A load that is remembered counts no
 * second time; those of several processes are left where the state could not be written.
 */
export function judgeLoads(
  records: PluginRecords,
  unended: readonly UnendedLoad[],
): JudgedLoad[] {
  const news = unended.filter((load) => !isKnown(records.get(load.name) ?? NO_RECORD, load));
  const judged = new Map(records);
  const last = new Map<string, JudgedLoad>();
  for (const loads of Map.groupBy(news, runOf).values()) {
    const versions = new Map<string, UnendedLoad>();
    for (const load of loads) {
      const { loaded: wasLoaded = true } = versions.get(keyOf(load)) ?? {};
      versions.set(keyOf(load), { ...load, loaded: load.loaded === true && wasLoaded });
    }
    for (const [key, load] of versions) {
      const one = judgeOne(judged.get(load.name) ?? NO_RECORD, load, versions.size === 1);
      judged.set(load.name, one.record);
      last.set(key, one);
    }
  }
  // What is remembered of a plugin comes of all that is judged of it.
  return Array.from(last.values(), (one) => ({
    ...one,
    record: judged.get(one.load.name) ?? one.record,
  }));
}

function keyOf({ name, scn }: UnendedLoad): string {
  return `${name} ${scn}`;
}

/** Which process it was; that is the first word of what a load is called. */
function runOf({ load }: UnendedLoad): string {
  return load?.split(" ")[0] ?? "";
}

/** Written down, and the process ended before the journal was cleared. */
function isKnown({ suspects }: PluginRecord, { scn, load }: UnendedLoad): boolean {
  return load !== undefined && suspects.some((each) => each.scn === scn && each.load === load);
}

function judgeOne(record: PluginRecord, load: UnendedLoad, isAlone: boolean): JudgedLoad {
  const { scn, path } = load;
  const before = record.suspects.find((each) => each.scn === scn);
  const suspects = record.suspects.filter((each) => each !== before);
  if (inQuarantine(record, scn)) return { load, verdict: "out", record: { ...record, suspects } };
  const counts = countedOn(load.loaded === true, before);
  const isTooOften = counts.loading >= MOST_LOADING || counts.loaded >= MOST_LOADED;
  if (isSuspect(record, scn) && isTooOften && isAlone) {
    const since = new Date().toISOString();
    const reason = "the process ended more than once while it was loading, or a moment later";
    const quarantine = withOneMore(record.quarantine, { scn, path, since, reason });
    return { load, verdict: "quarantined", record: { ...record, suspects, quarantine } };
  }
  const suspect = { scn, path, ...counts, ...(load.load !== undefined && { load: load.load }) };
  const next = { ...record, suspects: [...suspects, suspect] };
  return { load, verdict: isSuspect(next, scn) ? "suspected" : "noted", record: next };
}

/** What has loaded once may have been loading by chance before. */
function countedOn(
  isLoaded: boolean,
  before: Suspect | undefined,
): { readonly loading: number; readonly loaded: number } {
  const { loading = 1, loaded = 0 } = before ?? { loading: 0 };
  return isLoaded ? { loading: 0, loaded: loaded + 1 } : { loading: loading + 1, loaded };
}
