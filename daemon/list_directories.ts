import { readdir } from "node:fs/promises";
import type { Listing } from "../manager/mod.ts";

/** Lists the directories; one that is not there, or can't be read, has no listing. */
export async function listDirectories(
  directories: readonly string[],
  failed: (directory: string, error: unknown) => void,
): Promise<Listing[]> {
  const listings = await Promise.all(directories.map(async (directory) => {
    try {
      return { directory, files: await readdir(directory) };
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ENOENT") failed(directory, error);
      return undefined;
    }
  }));
  return listings.filter((each) => each !== undefined);
}
