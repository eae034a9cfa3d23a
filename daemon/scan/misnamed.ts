import { join } from "@std/path";
import { ArtifactNameError, parseArtifactName } from "../../artifact/mod.ts";
import type { FailedEvent, Listing } from "../../manager/mod.ts";
import type { MisnamedFile } from "../status.ts";
import { isTemporaryName } from "./temporary_name.ts";

/** What somebody took for an SCN, in what somebody took for an artifact. */
const MEANT = /_\d{14}_.*\.(?:mjs|exe)(?:\.gz)?$/i;

/**
 * Why a file that was meant to be an artifact is none, by its name: such a one is passed over as all that is
 * named otherwise. Undefined where nothing is the matter with it.
 */
export function whyMisnamed(file: string): string | undefined {
  if (!MEANT.test(file) || isTemporaryName(file)) return undefined;
  try {
    parseArtifactName(file);
    return undefined;
  } catch (error) {
    if (!(error instanceof ArtifactNameError)) throw error;
    return error.message;
  }
}

/** Tells of each file that was meant to be an artifact and is none, once, and knows it while it is there. */
export class MisnamedLog {
  #known = new Map<string, string>();

  /** All that the last listings had of it. */
  list(): MisnamedFile[] {
    return [...this.#known].map(([path, message]) => ({ path, message }));
  }

  /** The events for what was not told of; `listings` is all that there is, `isOther` what is no artifact. */
  news(listings: readonly Listing[], isOther: (file: string) => boolean): FailedEvent[] {
    const known = new Map<string, string>();
    const events: FailedEvent[] = [];
    for (const { directory, files } of listings) {
      for (const file of files) {
        const message = isOther(file) ? whyMisnamed(file) : undefined;
        if (message === undefined) continue;
        const path = join(directory, file);
        known.set(path, message);
        if (this.#known.has(path)) continue;
        const time = new Date().toISOString();
        events.push({ type: "failed", time, code: "name", message, path, final: true });
      }
    }
    this.#known = known;
    return events;
  }
}
