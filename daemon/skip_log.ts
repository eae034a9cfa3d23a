import { join } from "@std/path";
import type { Choice, ConflictEvent, SkippedEvent } from "../manager/mod.ts";

/** Tells of each artifact that is newer but not for this host, once. */
export class SkipLog {
  readonly #told = new Map<string, ReadonlySet<string>>();

  /** The events for what was not told of yet. */
  news(choice: Choice): (SkippedEvent | ConflictEvent)[] {
    const before = this.#told.get(choice.name);
    const keys = new Set<string>();
    const events: (SkippedEvent | ConflictEvent)[] = [];
    for (const { directory, file, parts, refusal } of choice.skips) {
      // A build for all platforms brings a file for each: no news, where one of them fits.
      if (refusal.code === "platform" && isServed(choice, parts.scn)) continue;
      const path = join(directory, file);
      const key = `${refusal.code} ${path}`;
      keys.add(key);
      if (before?.has(key)) continue;
      const type = refusal.code === "conflict" ? "conflict" : "skipped";
      events.push({
        type,
        time: new Date().toISOString(),
        code: refusal.code,
        message: `Not opened "${file}": ${refusal.reason}`,
        name: parts.name,
        scn: parts.scn,
        path,
      });
    }
    if (keys.size > 0) this.#told.set(choice.name, keys);
    else this.#told.delete(choice.name);
    return events;
  }
}

function isServed(choice: Choice, scn: number): boolean {
  return choice.candidates.some(({ parts }) => parts.scn >= scn);
}
