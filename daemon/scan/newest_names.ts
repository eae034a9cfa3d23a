import type { Scn } from "../../artifact/mod.ts";
import type { Listing } from "../../manager/mod.ts";
import { isTemporaryName } from "./temporary_name.ts";

/** So many versions of a plugin are looked at, before what is older is. */
export const FIRST_DEPTH = 4;

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
  /** The names of all plugins, by the looks of the files. */
  readonly names: Pick<ReadonlySet<string>, "has">;
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
  const kept: number[][] = listings.map(() => []);
  for (const [listing, { files }] of listings.entries()) {
    const others = kept[listing] ?? [];
    for (let index = 0; index < files.length; index++) {
      const file = files[index] ?? "";
      const place = scnAt(file);
      if (place < 0) {
        others.push(index);
        continue;
      }
      const name = file.slice(0, place);
      let newest = plugins.get(name);
      if (!newest) {
        // By itself it makes no plugin.
        if (isTemporaryName(file)) {
          others.push(index);
          continue;
        }
        const current = currentScn(name);
        newest = { depth: depth(name), current: String(current), found: [], leftOut: "" };
        plugins.set(name, newest);
      }
      // Digits only, as long as each other: they compare as text.
      addFile(newest, file.slice(place + 1, place + 1 + DIGITS), listing, index);
    }
  }
  const deeper = new Map<string, Scn>();
  for (const [name, { leftOut, found }] of plugins) {
    if (leftOut !== "") deeper.set(name, Number(leftOut));
    for (const { files } of found) {
      for (const { listing, index } of files) kept[listing]?.push(index);
    }
  }
  if (deeper.size === 0) return { listings, deeper, names: plugins };
  const thinned = listings.map(({ directory, files }, listing) => {
    const left = kept[listing]?.sort((a, b) => a - b) ?? [];
    return { directory, files: left.map((index) => files[index] ?? "") };
  });
  return { listings: thinned, deeper, names: plugins };
}

/** The files of one SCN, by their place in the listings. */
interface Version {
  readonly scn: string;
  readonly files: { readonly listing: number; readonly index: number }[];
}

/** What is wanted of a plugin: the newest versions, and the current one. SCNs are text. */
interface Newest {
  /** How many are wanted. */
  readonly depth: number;
  readonly current: string;
  /** The newest first; what is current may come after them. */
  readonly found: Version[];
  /** The newest SCN that is none of the newest; empty if there is none. */
  leftOut: string;
}

function addFile(newest: Newest, scn: string, listing: number, index: number): void {
  const { found, depth, current } = newest;
  // Most of a long listing: older than what is left out already.
  if (scn <= newest.leftOut && scn !== current) return;
  const at = placeOf(scn, found);
  const version = found[at];
  if (version?.scn === scn) return void version.files.push({ listing, index });
  found.splice(at, 0, { scn, files: [{ listing, index }] });
  const [over, ...after] = found.splice(depth);
  if (!over) return;
  if (over.scn > newest.leftOut) newest.leftOut = over.scn;
  const kept = [over, ...after].find((each) => each.scn === current);
  if (kept) found.push(kept);
}

/** Where an SCN is, or is to be, among versions from the newest to the oldest. */
function placeOf(scn: string, versions: readonly Version[]): number {
  let [from, to] = [0, versions.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((versions[middle]?.scn ?? "") > scn) from = middle + 1;
    else to = middle;
  }
  return from;
}

const DIGITS = 14;
/** What follows the SCN in a name: `_MAJOR_MINOR_PATCH_OS_ARCH`. */
const FIELDS_AFTER = 5;

const UNDERSCORE = 0x5f;
const [ZERO, NINE] = [0x30, 0x39];

/** Where the SCN of a name begins, less one for its underscore; less than 0 where it has none. */
function scnAt(file: string): number {
  // One look at each character: five of `lastIndexOf` are five calls out of compiled code.
  let fields = 0;
  for (let at = file.length - 1; at > DIGITS; at--) {
    if (file.charCodeAt(at) !== UNDERSCORE || ++fields < FIELDS_AFTER) continue;
    const before = at - 1 - DIGITS;
    // The last field may hold what looks like one in an extension of somebody's own: no artifact's.
    return file.charCodeAt(before) === UNDERSCORE && areDigits(file, before + 1, at) ? before : -1;
  }
  return -1;
}

/** What is none would pass for the newest, and what is no number ends the search for what is older. */
function areDigits(file: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const code = file.charCodeAt(at);
    if (code < ZERO || code > NINE) return false;
  }
  return true;
}
