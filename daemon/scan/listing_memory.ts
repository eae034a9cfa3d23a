import { lstatSync, type Stats } from "node:fs";
import { basename, dirname } from "@std/path";
import type { Listing } from "../../manager/mod.ts";

/** More names are not looked at one by one: to list the folders takes no longer. */
const MOST = 64;

/** How long after its first use a listing must follow, in milliseconds. */
const TRUSTED = 100;

/**
 * What the last listing has found, brought up to date by the names that were told of since: a new artifact
 * need not wait until ten thousand old ones are listed.
 *
 * It is no listing, since what was not told of is not seen: it answers for a moment only, and whoever
 * has asked it lists the folders soon after.
 */
export class ListingMemory {
  #files: Map<string, string[]> | undefined;
  readonly #told = new Set<string>();
  /** Whether the listing that is under way, if one is, began after all that may mean anything. */
  #isSure = true;
  #usedSince: number | undefined;

  /** Notes that something of that path has changed, or anything if none is given. */
  tell(path?: string): void {
    if (path !== undefined) {
      if (this.#told.size <= MOST) this.#told.add(path);
      return;
    }
    this.#files = undefined;
    this.#isSure = false;
  }

  /** To be called as the folders begin to be listed: what is told of from then on may not be in it. */
  begin(): void {
    this.#files = undefined;
    this.#told.clear();
    this.#isSure = true;
  }

  /** Takes what was listed. */
  take(listings: readonly Listing[]): void {
    if (!this.#isSure) return;
    this.#files = new Map(listings.map(({ directory, files }) => [directory, [...files]]));
    this.#usedSince = undefined;
  }

  /** What was listed; undefined where anything was told of since. */
  unchanged(): Listing[] | undefined {
    if (!this.#files || this.#told.size > 0) return undefined;
    return [...this.#files].map(([directory, files]) => ({ directory, files }));
  }

  /** What there is now; undefined where only a listing can say. */
  recall(now: number): Listing[] | undefined {
    const told = [...this.#told];
    this.#told.clear();
    if (!this.#files || told.length === 0 || told.length > MOST) return undefined;
    if (now - (this.#usedSince ??= now) >= TRUSTED) return undefined;
    if (!told.every((path) => this.#update(path))) return undefined;
    return [...this.#files].map(([directory, files]) => ({ directory, files }));
  }

  /** Answers with whether it could be. */
  #update(path: string): boolean {
    const files = this.#files?.get(dirname(path));
    if (!files) return false;
    const stat = statOf(path);
    if (stat === null) return false;
    const name = basename(path);
    const index = files.indexOf(name);
    if (!stat) {
      if (index >= 0) files.splice(index, 1);
      return true;
    }
    // A folder, a pipe, or a link that may lead to one.
    if (!stat.isFile()) return false;
    if (index < 0) files.push(name);
    return true;
  }
}

/** Undefined where nothing is there, null where that can't be said. */
function statOf(path: string): Stats | undefined | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return null;
  }
}
