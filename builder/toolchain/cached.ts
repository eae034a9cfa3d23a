import { lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "@std/path";
import { unlessMissing } from "../files/fs_error.ts";
import { throwIfCancelled } from "../cancel.ts";
import { isAbandoned, readLock, takeLockFile } from "../files/lock.ts";
import { parseTemporaryName, temporaryName } from "../files/temporary_name.ts";

const POLL_MS = 50;

/** What {@linkcode cached} needs. */
export interface CachedRequest {
  /** The folder of the cache; made if it is not there. */
  readonly folder: string;
  /** The entry's name in it. */
  readonly name: string;
  /** Makes the entry, a file or a folder, under the path that it is given. */
  readonly make: (temporary: string) => Promise<void>;
  /** Stops the wait for somebody else who makes it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Answers with the path of a cache entry, and makes it first if it is not there: once, whoever else
 * asks for it at the same time, here or in another process.
 *
 * The entry gets its name when it is whole. A maker that dies leaves a lock and a temporary name;
 * the next one sees that it is dead, and takes over.
 */
export async function cached(request: CachedRequest): Promise<string> {
  const { folder, name, make, signal } = request;
  const path = join(folder, name);
  if (await isThere(path)) return path;
  await mkdir(folder, { recursive: true });
  const lock = `.${name}.lock`;
  while (!await takeLockFile(folder, lock)) {
    throwIfCancelled(signal);
    if (await isThere(path)) return path;
    await removeAbandoned(join(folder, lock));
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  try {
    if (!await isThere(path)) await makeWhole(folder, name, path, make);
    return path;
  } finally {
    await rm(join(folder, lock), { force: true });
  }
}

async function makeWhole(
  folder: string,
  name: string,
  path: string,
  make: CachedRequest["make"],
): Promise<void> {
  await sweepTemporaries(folder);
  const temporary = join(folder, temporaryName(name));
  try {
    await make(temporary);
    await rename(temporary, path).catch(async (error: unknown) => {
      if (!await isThere(path)) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/**
 * Two who wait may see the same dead lock, and the slower one may remove the lock of the faster: the
 * entry is then made twice, and the second rename finds it there. Neither is ever half.
 */
async function removeAbandoned(lock: string): Promise<void> {
  if (await isAbandoned(lock, await readLock(lock))) await rm(lock, { force: true });
}

async function sweepTemporaries(folder: string): Promise<void> {
  for (const file of await readdir(folder)) {
    const owner = parseTemporaryName(file);
    if (owner === undefined || !await isAbandoned(join(folder, file), owner)) continue;
    await rm(join(folder, file), { recursive: true, force: true });
  }
}

async function isThere(path: string): Promise<boolean> {
  return await unlessMissing(lstat(path), undefined) !== undefined;
}
