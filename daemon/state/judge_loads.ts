import type { UnendedLoad } from "./load_journal.ts";
import {
  doubtOf,
  inQuarantine,
  NO_RECORD,
  type PluginRecord,
  type PluginRecords,
  SUSPICIOUS,
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

/** So much speaks against what was found loading, or just loaded. */
const LOADING = 2;
const LOADED = 1;
/** So much condemns what is suspect, if nothing else may have been at fault. */
const CONDEMNING = 4;

/**
 * What comes of what was loading as the process ended, or had just been loaded, by what was remembered
 * before. A version that was found loading is suspect, and condemned when it was so already, and was alone:
 * else something that had just been loaded may have ended the process. A load that is remembered counts no
 * second time.
 */
export function judgeLoads(
  records: PluginRecords,
  unended: readonly UnendedLoad[],
): JudgedLoad[] {
  const judged = new Map(records);
  const loads = unended.filter((load) => !isKnown(records.get(load.name) ?? NO_RECORD, load));
  const isAlone = new Set(loads.map(({ name, scn }) => `${name} ${scn}`)).size === 1;
  return loads.map((load) => {
    const before = doubtOf(records.get(load.name) ?? NO_RECORD, load.scn);
    const doubt = before + (load.loaded ? LOADED : LOADING);
    const isCondemned = before >= SUSPICIOUS && doubt >= CONDEMNING && isAlone;
    const one = judgeOne(judged.get(load.name) ?? NO_RECORD, load, doubt, isCondemned);
    judged.set(load.name, one.record);
    return one;
  });
}

/** Written down, and the process ended before the journal was cleared. */
function isKnown({ suspects }: PluginRecord, { scn, load }: UnendedLoad): boolean {
  return load !== undefined && suspects.some((each) => each.scn === scn && each.load === load);
}

function judgeOne(
  record: PluginRecord,
  load: UnendedLoad,
  doubt: number,
  isCondemned: boolean,
): JudgedLoad {
  const { scn, path } = load;
  const suspects = record.suspects.filter((each) => each.scn !== scn);
  if (inQuarantine(record, scn)) return { load, verdict: "out", record: { ...record, suspects } };
  if (isCondemned) {
    const since = new Date().toISOString();
    const reason = "the process ended more than once while it was loading, or a moment later";
    const quarantine = withOneMore(record.quarantine, { scn, path, since, reason });
    return { load, verdict: "quarantined", record: { ...record, suspects, quarantine } };
  }
  const verdict = doubt >= SUSPICIOUS ? "suspected" : "noted";
  const noted = { scn, path, doubt, ...(load.load !== undefined && { load: load.load }) };
  return { load, verdict, record: { ...record, suspects: [...suspects, noted] } };
}
