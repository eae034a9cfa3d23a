import { lstatSync, type Stats, statSync } from "node:fs";

/** What tells whether a file was touched. */
export interface FileMark {
  /** Size in bytes. */
  readonly size: number;
  /** Time of the last change of content or attributes, in milliseconds since the epoch. */
  readonly time: number;
  /** Which file it is. */
  readonly inode: number;
}

/** That of what is there, and can't be looked at. */
const UNSEEN: FileMark = { size: 0, time: 0, inode: 0 };

/** Reads a file's mark; undefined where there is no such file. Who may not look has to open it to be told. */
// deno-lint-ignore require-await
export async function markOf(path: string): Promise<FileMark | undefined> {
  try {
    // Synchronous, as the reading is: it is answered from memory, and a thread's detour takes longer.
    return toMark(statSync(path));
  } catch (error) {
    return (error as { code?: unknown }).code === "EACCES" ? UNSEEN : undefined;
  }
}

/** Reads the mark of a link itself, wherever it leads; undefined where there is no link. */
export function linkMarkOf(path: string): FileMark | undefined {
  try {
    const stats = lstatSync(path);
    return stats.isSymbolicLink() ? toMark(stats) : undefined;
  } catch {
    return undefined;
  }
}

/** The change time too: a copy that keeps the time of its source has an old mtime from the start. */
function toMark({ size, mtimeMs, ctimeMs, ino }: Stats): FileMark {
  return { size, time: Math.max(mtimeMs, ctimeMs), inode: ino };
}

/** Whether both marks are of the same, untouched file. */
export function sameMark(a: FileMark | undefined, b: FileMark | undefined): boolean {
  return a?.size === b?.size && a?.time === b?.time && a?.inode === b?.inode;
}

/**
 * How long the file must still be watched until it has stood still for the time, in milliseconds;
 * 0 when it has.
 *
 * A file whose time lies in the future is given the whole time.
 */
export function unsettledFor(mark: FileMark, settle: number, now: number): number {
  const age = now - mark.time;
  return age < 0 ? settle : Math.max(0, settle - age);
}
