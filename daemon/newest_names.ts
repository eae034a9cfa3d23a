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
  const plugins = new Map<string, Newest>();
  const places = listings.map(({ files }) => files.map(scnAt));
  for (const [index, { files }] of listings.entries()) {
    for (const [at, file] of files.entries()) {
      const place = places[index]?.[at] ?? -1;
      if (place < 0) continue;
      const name = file.slice(0, place);
      let newest = plugins.get(name);
      if (!newest) {
        newest = { depth: depth(name), scns: [], leftOut: "" };
        plugins.set(name, newest);
      }
      addScn(newest, file.slice(place + 1, place + 1 + DIGITS));
    }
  }
  const deeper = new Map<string, Scn>();
  for (const [name, { leftOut }] of plugins) if (leftOut !== "") deeper.set(name, Number(leftOut));
  if (deeper.size === 0) return { listings, deeper };
  const isWanted = (file: string, place: number): boolean => {
    if (place < 0) return true;
    const name = file.slice(0, place);
    const { leftOut = "" } = plugins.get(name) ?? {};
    const scn = file.slice(place + 1, place + 1 + DIGITS);
    return scn > leftOut || Number(scn) === currentScn(name);
  };
  const thinned = listings.map(({ directory, files }, index) => {
    const at = places[index] ?? [];
    return { directory, files: files.filter((file, index) => isWanted(file, at[index] ?? -1)) };
  });
  return { listings: thinned, deeper };
}

/** The newest SCNs of a plugin, as text: all have the same length. */
interface Newest {
  /** How many are wanted. */
  readonly depth: number;
  /** The oldest first. */
  readonly scns: string[];
  /** The newest that is none of them; empty if there is none. */
  leftOut: string;
}

function addScn(newest: Newest, scn: string): void {
  const { scns, depth } = newest;
  const isFull = scns.length === depth;
  if (scn <= newest.leftOut || (isFull && scn < (scns[0] ?? ""))) {
    if (scn > newest.leftOut) newest.leftOut = scn;
    return;
  }
  if (scns.includes(scn)) return;
  scns.push(scn);
  scns.sort();
  if (isFull) newest.leftOut = scns.shift() ?? "";
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
