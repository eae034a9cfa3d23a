import { link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "@std/path";
import { lockFileName, type Scn } from "../artifact/mod.ts";
import { errnoOf } from "./_fs_error.ts";
import { type Owner, thisOwner } from "./owner.ts";
import { LINKS_NOT_SUPPORTED, temporaryName } from "./temporary_name.ts";

/** What is written in a lock. */
export interface LockRecord extends Owner {
  /** When it was made, as an ISO time. */
  readonly at: string;
}

/** Makes the lock of an SCN; false if somebody else holds it. */
export async function takeLock(dest: string, name: string, scn: Scn): Promise<boolean> {
  const file = lockFileName(name, scn);
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
