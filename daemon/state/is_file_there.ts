/**
 * Whether a file is there to be read; false where nothing is.
 *
 * To be asked before one is opened: at a named pipe the whole process would wait for its other end, and
 * what a device tells may have no end.
 *
 * @throws {Error} Where something else is there.
 */
export function isFileThere(path: string): boolean {
  try {
    if (Deno.statSync(path).isFile) return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  throw new Error(`"${path}" is no file; remove it`);
}

/**
 * Asserts that nothing but a file is there, if anything is.
 *
 * @throws {Error} As {@linkcode isFileThere}.
 */
export function assertFileIfThere(path: string): void {
  isFileThere(path);
}
