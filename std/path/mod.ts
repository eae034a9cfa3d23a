/**
 * Stand-in for `jsr:@std/path`: the functions in use, over `node:path` and `node:url`.
 *
 * @module
 */

import { fileURLToPath, pathToFileURL } from "node:url";

export {
  basename,
  dirname,
  extname,
  isAbsolute,
  join,
  normalize,
  relative,
  resolve,
  sep as SEPARATOR,
} from "node:path";

/** Converts a file URL to a path. */
export function fromFileUrl(url: string | URL): string {
  return fileURLToPath(url);
}

/** Converts an absolute path to a file URL. */
export function toFileUrl(path: string): URL {
  return pathToFileURL(path);
}
