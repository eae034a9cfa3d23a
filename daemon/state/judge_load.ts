import type { UnendedLoad } from "./load_journal.ts";
import type { PluginRecord } from "./state_record.ts";

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

/** Why what was loading a second time is in quarantine. */
export const ENDED_TWICE = "the process ended twice while it was loading";
