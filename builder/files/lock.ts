import { link, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "@std/path";
import { DEFAULT_STALE_LOCK_MS, lockFileName, type Scn } from "../../artifact/mod.ts";
import { errnoOf, unlessMissing } from "./fs_error.ts";
import { type Owner, ownerState, thisOwner } from "./owner.ts";
import { LINKS_NOT_SUPPORTED, temporaryName } from "./temporary_name.ts";

/** What is written in a lock. */
export interface LockRecord extends Owner {
  /** When it was made, as an ISO time. */
  readonly at: string;
}

/** Makes the lock of an SCN; false if somebody else holds it. */
export function takeLock(dest: string, name: string, scn: Scn): Promise<boolean> {
  return takeLockFile(dest, lockFileName(name, scn));
}

/** Makes a lock that says whose it is; false if somebody else holds it. */
export async function takeLockFile(dest: string, file: string): Promise<boolean> {
  const record: LockRecord = { ...thisOwner(), at: new Date().toISOString() };
  const text = `${JSON.stringify(record)}\n`;
  const temporary = join(dest, temporaryName(file));
  await writeFile(temporary, text, { flag: "wx" });
  try {
    // Linked rather than made and written: a lock that is there always says whose it is.
    await link(temporary, join(dest, file));
    return true;
  } catch (error) {
    const code = errnoOf(error) ?? "";
    if (code === "EEXIST") return false;
    if (!LINKS_NOT_SUPPORTED.has(code)) throw error;
    return await createLock(join(dest, file), text);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Removes the lock of an SCN. */
export async function releaseLock(dest: string, name: string, scn: Scn): Promise<void> {
  await rm(join(dest, lockFileName(name, scn)), { force: true });
}

/** Reads whose lock it is; nothing if that can't be read. */
export async function readLock(path: string): Promise<LockRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    return isLockRecord(value) ? value : undefined;
  } catch {
    return undefined; // cut off, or gone meanwhile: nobody is known to hold it
  }
}

/** Whether the owner of a file is gone: known to be, or not known for an hour. */
export async function isAbandoned(path: string, owner: Owner | undefined): Promise<boolean> {
  const state = owner === undefined ? "unknown" : ownerState(owner);
  if (state !== "unknown") return state === "dead";
  const info = await unlessMissing(stat(path), undefined);
  return info !== undefined && Date.now() - info.mtimeMs > DEFAULT_STALE_LOCK_MS;
}

function isLockRecord(value: unknown): value is LockRecord {
  if (typeof value !== "object" || value === null) return false;
  const { host, pid, started, at } = value as Partial<Record<keyof LockRecord, unknown>>;
  return typeof host === "string" && Number.isSafeInteger(pid) && typeof started === "string" &&
    typeof at === "string" && !Number.isNaN(Date.parse(at));
}

async function createLock(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}
