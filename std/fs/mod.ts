/**
 * Stand-in for `jsr:@std/fs`: the functions in use, over `node:fs`.
 *
 * @module
 */

import { mkdir, stat } from "node:fs/promises";

/** Ensures that the directory exists, making it and its parents if necessary. */
export async function ensureDir(dir: string | URL): Promise<void> {
  try {
    await mkdir(dir, { recursive: true });
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") {
      throw new Error(`Failed to ensure directory exists: expected 'dir', got 'file'`, {
        cause: error,
      });
    }
    throw error;
  }
}

/** Tells whether the path exists; links are followed. */
export async function exists(path: string | URL): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}
