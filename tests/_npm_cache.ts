import { cp } from "node:fs/promises";
import { join } from "@std/path";
import { exists } from "@std/fs";
import { ownDenoDir } from "../builder/service/own_deno_dir.ts";

/**
 * Puts into an empty cache of Deno's the packages that the cache of this process has already, the
 * bundler's above all, so that a test whose subject is not the fetching asks no registry for them.
 */
export async function seedNpmCache(denoDir: string): Promise<void> {
  const packages = join("npm", "registry.npmjs.org");
  const own = join(await ownDenoDir(), packages);
  if (await exists(own)) await cp(own, join(denoDir, packages), { recursive: true });
}
