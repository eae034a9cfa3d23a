/**
 * The folder that all files of an archive sit in, with the slash that ends it; nothing if there is
 * none. People who pack a folder mean what is in it.
 */
export function topFolder(paths: readonly string[]): string {
  const tops = new Set(paths.map((path) => path.slice(0, path.indexOf("/") + 1)));
  const [top = ""] = tops;
  return tops.size === 1 ? top : "";
}
