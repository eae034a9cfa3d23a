import type { Scn } from "../../artifact/mod.ts";
import type { Choice } from "../../manager/mod.ts";

/** A choice that was made among the newest versions of a plugin. */
export interface FoundChoice extends Choice {
  /** The newest SCN of those that were left out, and may be there all the same; absent where none was. */
  readonly leftOut?: Scn;
}

/** Whether nothing can be said of a version, since the choice was made without those as old. */
export function isLeftOut({ leftOut = 0 }: FoundChoice, scn: Scn): boolean {
  return scn <= leftOut;
}
