import type { UnendedLoad } from "./load_journal.ts";
import type { PluginRecord, Quarantined } from "./state_record.ts";

/**
 * What comes of a version that was loading as the process ended, by what was remembered before: it is
 * `suspect`, `condemned` if it was so already, and `known` where that very load is remembered.
 */
export function judgeLoad(
  { suspects }: Pick<PluginRecord, "suspects">,
  { scn, load }: UnendedLoad,
): "suspect" | "condemned" | "known" {
  const before = suspects.filter((each) => each.scn === scn);
  // Written down, and the process ended before the journal was cleared.
  if (load !== undefined && before.some((each) => each.load === load)) return "known";
  return before.length > 0 ? "condemned" : "suspect";
}

/** The entry in the quarantine of what is condemned so, from now on. */
export function condemned({ scn, path }: UnendedLoad): Quarantined {
  const since = new Date().toISOString();
  return { scn, path, since, reason: "the process ended twice while it was loading" };
}
