import { join } from "@std/path";
import type { ConflictEvent, SkippedEvent } from "../../manager/mod.ts";
import { type FoundChoice, isLeftOut } from "./found_choice.ts";

/** Tells of each artifact that is newer but not for this host, once. */
export class SkipLog {
  /** The SCNs of what was told of, by plugin and by code and path. */
  #told = new Map<string, Map<string, number>>();

  /** The events for what was not told of; `choices` is all that there is. */
  news(choices: Iterable<FoundChoice>): (SkippedEvent | ConflictEvent)[] {
    const told = new Map<string, Map<string, number>>();
    const events: (SkippedEvent | ConflictEvent)[] = [];
    for (const choice of choices) {
      const known: ReadonlyMap<string, number> = this.#told.get(choice.name) ?? new Map();
      // What newer ones have pushed out of sight is not gone, and no news when it is looked at again.
      const now = new Map([...known].filter(([, scn]) => isLeftOut(choice, scn)));
      for (const skip of choice.skips) {
        // A build for all platforms brings a file for each: no news, where one of them fits.
        if (skip.refusal.code === "platform" && isServed(choice, skip.parts.scn)) continue;
        const key = `${skip.refusal.code} ${join(skip.directory, skip.file)}`;
        if (!known.has(key) && !now.has(key)) events.push(eventOf(skip));
        now.set(key, skip.parts.scn);
      }
      if (now.size > 0) told.set(choice.name, now);
    }
    this.#told = told;
    return events;
  }
}

function eventOf(
  { directory, file, parts, refusal }: FoundChoice["skips"][number],
): SkippedEvent | ConflictEvent {
  return {
    type: refusal.code === "conflict" ? "conflict" : "skipped",
    time: new Date().toISOString(),
    code: refusal.code,
    message: `Not opened "${file}": ${refusal.reason}`,
    name: parts.name,
    scn: parts.scn,
    path: join(directory, file),
  };
}

function isServed(choice: FoundChoice, scn: number): boolean {
  return choice.candidates.some(({ parts }) => parts.scn >= scn);
}
