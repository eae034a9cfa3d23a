import { readdir, rm } from "node:fs/promises";
import { join } from "@std/path";
import {
  infoFileName,
  type LockName,
  parseLockFileName,
  tryParseArtifactName,
} from "../../artifact/mod.ts";
import { isAbandoned, readLock } from "./lock.ts";
import { parseTemporaryName } from "./temporary_name.ts";

const MAP_EXTENSION = ".mjs.map";

/**
 * Removes from a destination what dead builds left: temporary files, and for each dead lock the
 * artifacts and source maps of that name and SCN that have no info file, then the lock.
 *
 * A build is dead when its host and process say so, or after an hour where nobody can tell.
 */
export async function sweepDestination(dest: string): Promise<void> {
  const files = await readdir(dest);
  for (const file of files) {
    const owner = parseTemporaryName(file);
    if (owner === undefined) continue;
    if (await isAbandoned(join(dest, file), owner)) await rm(join(dest, file), { force: true });
  }
  for (const file of files) {
    const lock = parseLockFileName(file);
    if (lock === undefined) continue;
    const path = join(dest, file);
    if (!await isAbandoned(path, await readLock(path))) continue;
    // The lock goes last: as long as it lies there, no host takes the rest for finished.
    await removeUnfinished(dest, lock);
    await rm(path, { force: true });
  }
}

async function removeUnfinished(dest: string, lock: LockName): Promise<void> {
  const files = await readdir(dest);
  const there = new Set(files);
  for (const file of files) {
    const isMap = file.endsWith(MAP_EXTENSION);
    // A map has its artifact's name and one more ending.
    const name = tryParseArtifactName(isMap ? file.slice(0, -".map".length) : file);
    if (name?.name !== lock.name || name.scn !== lock.scn) continue;
    if (there.has(infoFileName(name))) continue;
    await rm(join(dest, file), { force: true });
  }
}
