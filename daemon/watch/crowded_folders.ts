import { dirname } from "@std/path";

/**
 * The folders that have to do without, where these paths in them are more than there may be: those with
 * the most first, so that a folder with a few is not the worse for another with many.
 */
export function crowdedFolders(paths: readonly string[], most: number): Set<string> {
  const folders = [...Map.groupBy(paths, (path) => dirname(path))]
    .sort(([a, one], [b, other]) => one.length - other.length || (a < b ? -1 : 1));
  let sum = 0;
  return new Set(
    folders.filter(([, { length }]) => (sum += length) > most).map(([folder]) => folder),
  );
}
