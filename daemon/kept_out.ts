import type { ErrorCode, Scn } from "../artifact/mod.ts";
import { inQuarantine, type PluginRecord } from "./state/state_record.ts";

/** What of an earlier process keeps a version out. */
export interface KeptOut {
  /** Which rule that is, as a stable word. */
  readonly code: ErrorCode;
  /** The reason and the remedy, as the end of a sentence. */
  readonly reason: string;
}

/** Why a version is kept out by what is remembered of its plugin; undefined where nothing does so. */
export function whyKeptOut(
  record: PluginRecord,
  scn: Scn,
): KeptOut | undefined {
  const { floor, held, frozen } = record;
  const condemned = inQuarantine(record, scn);
  if (condemned) {
    const reason = `it is in quarantine, since ${condemned.reason}; let it out when it is mended`;
    return { code: "quarantined", reason };
  }
  if (frozen) return { code: "frozen", reason: "its plugin is frozen, until it is thawed" };
  if (scn <= held) {
    return { code: "held", reason: `SCN ${held} was rolled back from; release the plugin` };
  }
  if (scn < floor) {
    return { code: "outdated", reason: `SCN ${floor} was current; release the plugin` };
  }
  return undefined;
}
