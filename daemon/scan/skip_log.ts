import { join } from "@std/path";
import { byName } from "../../artifact/by_name.ts";
import type { ConflictEvent, SkippedEvent } from "../../manager/mod.ts";
import type { SkippedVersion } from "../status.ts";
import { type FoundChoice, isLeftOut } from "./found_choice.ts";

/** Tells of each artifact that is newer but not for this host, once, and knows it while it is there. */
export class SkipLog {
  /** What was told of, by plugin and by code and path. */
  #told = new Map<string, Map<string, SkippedVersion>>();

  /** All that the last choices had of it, sorted by name. */
  list(): SkippedVersion[] {
    return [...this.#told.values()].flatMap((own) => [...own.values()]).sort(byName);
  }

  /** The events for what was not told of; `choices` is all that there is. */
  news(choices: Iterable<FoundChoice>): (SkippedEvent | ConflictEvent)[] {
    const told = new Map<string, Map<string, SkippedVersion>>();
    const events: (SkippedEvent | ConflictEvent)[] = [];
    for (const choice of choices) {
      const known: ReadonlyMap<string, SkippedVersion> = this.#told.get(choice.name) ?? new Map();
      // What newer ones have pushed out of sight is not gone, and no news when it is looked at again.
      const now = new Map([...known].filter(([, { scn }]) => isLeftOut(choice, scn)));
      for (const skip of choice.skips) {
        // A build for all platforms brings a file for each: no news, where one of them fits.
        if (skip.refusal.code === "platform" && isServed(choice, skip.parts.scn)) continue;
        const key = `${skip.refusal.code} ${join(skip.directory, skip.file)}`;
        const version = versionOf(skip);
        if (!known.has(key) && !now.has(key)) events.push(eventOf(version));
        now.set(key, version);
      }
      if (now.size > 0) told.set(choice.name, now);
    }
    this.#told = told;
    return events;
  }
}

function versionOf(
  { directory, file, parts: { name, scn }, refusal: { code, reason } }:
    FoundChoice["skips"][number],
): SkippedVersion {
  return {
    code,
    message: `Not opened "${file}": ${reason}`,
    name,
    scn,
    path: join(directory, file),
  };
}

function eventOf(version: SkippedVersion): SkippedEvent | ConflictEvent {
  const type = version.code === "conflict" ? "conflict" : "skipped";
  return { type, time: new Date().toISOString(), ...version };
}

function isServed(choice: FoundChoice, scn: number): boolean {
  return choice.candidates.some(({ parts }) => parts.scn >= scn);
}
