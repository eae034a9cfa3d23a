import { homedir } from "node:os";
import { isAbsolute, join } from "@std/path";

const OWN = "hotplug";

/**
 * Answers with hotplug's folder in the user's cache folder, where the system wants it: what is in it
 * can be fetched again, and may be removed at any time.
 */
export function cacheFolder(
  os: typeof Deno.build.os = Deno.build.os,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): string {
  const home = homedir();
  switch (os) {
    case "windows":
      return join(absolute(env("LOCALAPPDATA")) ?? join(home, "AppData", "Local"), OWN, "Cache");
    case "darwin":
      return join(home, "Library", "Caches", OWN);
    default:
      // A relative path in it is to be ignored, as the XDG rules say.
      return join(absolute(env("XDG_CACHE_HOME")) ?? join(home, ".cache"), OWN);
  }
}

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
