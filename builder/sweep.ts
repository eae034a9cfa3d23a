import { readdir, rm, stat } from "node:fs/promises";
import { join } from "@std/path";
import {
  DEFAULT_STALE_LOCK_MS,
  infoFileName,
  type LockName,
  parseLockFileName,
  tryParseArtifactName,
} from "../artifact/mod.ts";
import { unlessMissing } from "./_fs_error.ts";
import { readLock } from "./lock.ts";
import { type Owner, ownerState } from "./owner.ts";
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
    if (await isDead(join(dest, file), owner)) await rm(join(dest, file), { force: true });
  }
  for (const file of files) {
    const lock = parseLockFileName(file);
    if (lock === undefined) continue;
    const path = join(dest, file);
    if (!await isDead(path, await readLock(path))) continue;
    // The lock goes last: as long as it lies there, no host takes the rest for finished.
    await removeUnfinished(dest, lock);
    await rm(path, { force: true });
  }
}

async function isDead(path: string, owner: Owner | undefined): Promise<boolean> {
  const state = owner === undefined ? "unknown" : ownerState(owner);
  if (state !== "unknown") return state === "dead";
  const info = await unlessMissing(stat(path), undefined);
  return info !== undefined && Date.now() - info.mtimeMs > DEFAULT_STALE_LOCK_MS;
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
