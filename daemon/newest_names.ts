import type { Scn } from "../artifact/mod.ts";
import type { Listing } from "../manager/mod.ts";

/** So many versions of a plugin are looked at, before what is older is. */
export const FIRST_DEPTH = 8;

/** How names are thinned out. */
export interface ThinOptions {
  /** How many versions of a plugin are wanted, the newest. */
  readonly depth: (name: string) => number;
  /** The SCN of what is current of it, which is wanted too. */
  readonly currentScn: (name: string) => Scn | undefined;
}

/** What is left of listings. */
export interface Thinned {
  /** With the names that are wanted, and those that are no artifact's. */
  readonly listings: readonly Listing[];
  /** The plugins of which there are older versions than those, and the newest SCN that is left out. */
  readonly deeper: ReadonlyMap<string, Scn>;
}

/**
 * Leaves out, by the looks of the names alone, all but the newest versions of each plugin: of ten
 * thousand files one or two a plugin are opened, and to read what each name says would be most of the
 * work. The newest are those of all folders together.
 */
export function newestNames(
  listings: readonly Listing[],
  { depth, currentScn }: ThinOptions,
): Thinned {
  const versions = new Map<string, Set<string>>();
  for (const { files } of listings) {
    for (const file of files) {
      const at = scnAt(file);
      if (at < 0) continue;
      const name = file.slice(0, at);
      let scns = versions.get(name);
      if (!scns) versions.set(name, scns = new Set());
      scns.add(file.slice(at + 1, at + 1 + DIGITS));
    }
  }
  const wanted = new Map<string, Set<string>>();
  const deeper = new Map<string, Scn>();
  for (const [name, scns] of versions) {
    if (scns.size <= depth(name)) continue;
    const sorted = [...scns].sort();
    const newest = sorted.slice(-depth(name));
    deeper.set(name, Number(sorted.at(-depth(name) - 1)));
    wanted.set(name, new Set([...newest, String(currentScn(name) ?? "")]));
  }
  if (deeper.size === 0) return { listings, deeper };
  const thinned = listings.map(({ directory, files }) => {
    return { directory, files: files.filter((file) => isWanted(file, wanted)) };
  });
  return { listings: thinned, deeper };
}

function isWanted(file: string, wanted: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const at = scnAt(file);
  if (at < 0) return true;
  const scns = wanted.get(file.slice(0, at));
  return !scns || scns.has(file.slice(at + 1, at + 1 + DIGITS));
}

const DIGITS = 14;
/** What follows the SCN in a name: `_MAJOR_MINOR_PATCH_OS_ARCH`. */
const FIELDS_AFTER = 5;

/** Where the SCN of a name begins, less one for its underscore; less than 0 where it has none. */
function scnAt(file: string): number {
  let end = file.length;
  for (let field = 0; field < FIELDS_AFTER; field++) {
    end = file.lastIndexOf("_", end - 1);
    if (end < 0) return -1;
  }
  const at = end - 1 - DIGITS;
  // The last field may hold what looks like one in an extension of somebody's own: no artifact's.
  return file[at] === "_" ? at : -1;
}
