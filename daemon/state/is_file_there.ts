import { HotplugError } from "../../artifact/mod.ts";

/**
 * Whether a file is there to be read or written; false where nothing is.
 *
 * To be asked before one is opened: at a named pipe the whole process would wait for its other end, what a
 * device tells may have no end, and what is written at a link goes to a file that may be somebody else's.
 *
 * @throws {HotplugError} `state` where something else is there.
 */
export function isFileThere(path: string): boolean {
  const found = look(path);
  if (found && !found.isFile) throw wrongKind(path, "is no file");
  return found !== undefined;
}

/**
 * Asserts that nothing but a file is there, if anything is.
 *
 * @throws {HotplugError} As {@linkcode isFileThere}.
 */
export function assertFileIfThere(path: string): void {
  isFileThere(path);
}

/**
 * Asserts that no link is there, whatever else is.
 *
 * @throws {HotplugError} `state` where one is.
 */
export function assertNoLink(path: string): void {
  look(path);
}

/** Not followed: a link that leads nowhere would be written through as well. */
function look(path: string): Deno.FileInfo | undefined {
  try {
    const found = Deno.lstatSync(path);
    if (found.isSymlink) throw wrongKind(path, "is a link, and may lead to somebody else's file");
    return found;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function wrongKind(path: string, what: string): HotplugError {
  return new HotplugError(
    "state",
    `Cannot use the state folder: "${path}" ${what}; remove it, or name another folder (--state)`,
  );
}
