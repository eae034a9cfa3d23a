import type { UnendedLoad } from "./load_journal.ts";
import {
  inQuarantine,
  NO_RECORD,
  type PluginRecord,
  type PluginRecords,
  withOneMore,
} from "./state_record.ts";

/** What came of a load that had not ended when the process did. */
export interface JudgedLoad {
  /** The load. */
  readonly load: UnendedLoad;
  /** Its version is `suspect`, or `condemned` to quarantine; or it was `out` there before. */
  readonly verdict: "suspect" | "condemned" | "out";
  /** What is remembered of its plugin from then on. */
  readonly record: PluginRecord;
}

/**
 * What comes of what was loading as the process ended, by what was remembered before: a version is suspect,
 * and condemned if it was so already. A load that is remembered counts no second time.
 */
export function judgeLoads(
  records: PluginRecords,
  unended: readonly UnendedLoad[],
): JudgedLoad[] {
  const judged = new Map(records);
  return unended.flatMap((load) => {
    const verdict = judge(records.get(load.name) ?? NO_RECORD, load);
    if (verdict === "known") return [];
    const loaded = judgeOne(judged.get(load.name) ?? NO_RECORD, load, verdict);
    judged.set(load.name, loaded.record);
    return [loaded];
  });
}

function judge(
  { suspects }: Pick<PluginRecord, "suspects">,
  { scn, load }: UnendedLoad,
): "suspect" | "condemned" | "known" {
  const before = suspects.filter((each) => each.scn === scn);
  // Written down, and the process ended before the journal was cleared.
  if (load !== undefined && before.some((each) => each.load === load)) return "known";
  return before.length > 0 ? "condemned" : "suspect";
}

function judgeOne(
  record: PluginRecord,
  load: UnendedLoad,
  verdict: "suspect" | "condemned",
): JudgedLoad {
  const { scn, path } = load;
  const suspects = record.suspects.filter((each) => each.scn !== scn);
  if (inQuarantine(record, scn)) return { load, verdict: "out", record: { ...record, suspects } };
  if (verdict === "condemned") {
    const since = new Date().toISOString();
    const reason = "the process ended twice while it was loading";
    const quarantine = withOneMore(record.quarantine, { scn, path, since, reason });
    return { load, verdict, record: { ...record, suspects, quarantine } };
  }
  const suspect = { scn, path, ...(load.load !== undefined && { load: load.load }) };
  return { load, verdict, record: { ...record, suspects: [...suspects, suspect] } };
}
