import { join } from "@std/path";
import type { Choice, ConflictEvent, SkippedEvent } from "../../manager/mod.ts";

/** Tells of each artifact that is newer but not for this host, once. */
export class SkipLog {
  #told = new Set<string>();

  /** The events for what was not told of; `choices` is all that there is. */
  news(choices: Iterable<Choice>): (SkippedEvent | ConflictEvent)[] {
    const told = new Set<string>();
    const events: (SkippedEvent | ConflictEvent)[] = [];
    for (const choice of choices) {
      for (const skip of choice.skips) {
        // A build for all platforms brings a file for each: no news, where one of them fits.
        if (skip.refusal.code === "platform" && isServed(choice, skip.parts.scn)) continue;
        const key = `${skip.refusal.code} ${join(skip.directory, skip.file)}`;
        if (!this.#told.has(key) && !told.has(key)) events.push(eventOf(skip));
        told.add(key);
      }
    }
    this.#told = told;
    return events;
  }
}

function eventOf(
  { directory, file, parts, refusal }: Choice["skips"][number],
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

function isServed(choice: Choice, scn: number): boolean {
  return choice.candidates.some(({ parts }) => parts.scn >= scn);
}
