import { mkdtempSync } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import process from "node:process";
import { join } from "@std/path";

/** The folder that all of one store lies in. */
export interface PrivateRoot {
  /** Its real path. */
  readonly path: string;
  /** Removes what others have left, once; a second call waits for the first. */
  sweep(): Promise<void>;
  /** Lets others have it as it is: it is gone already. */
  forget(): void;
  /** Removes it with all in it. */
  close(): Promise<void>;
}

const PREFIX = "hotplug-run-";
const LOCK = "lock";
/** So many of one user at a time have a name that comes again. */
const SLOTS = 32;

/**
 * Makes a folder that is this process's own, with mode 0700. The owner holds an advisory lock in it,
 * and whoever makes another one later removes those whose lock is free.
 *
 * After a restart it has the same name again, if it can: Deno keeps what it learns of a module, its
 * compiled code too, under its URL, so that the same artifacts are imported five times as fast, and
 * its cache does not grow with each restart. Where `isNew` is set, the name is one that never was.
 */
// deno-lint-ignore require-await -- what fails at once is a rejection, too
export async function openPrivateRoot(
  { isNew = false }: { readonly isNew?: boolean } = {},
): Promise<PrivateRoot> {
  const { path, lock } = (isNew ? undefined : takeSlot()) ?? makeNew();
  const { uid } = Deno.lstatSync(path);
  let swept: Promise<void> | undefined;
  return {
    path,
    sweep: () => swept ??= sweep(uid),
    forget: () => lock.close(),
    close: () => remove(path, lock),
  };
}

interface Claimed {
  readonly path: string;
  readonly lock: Deno.FsFile;
}

/** The first name that is free; undefined where there is none. */
function takeSlot(): Claimed | undefined {
  const uid = ownUid();
  if (uid === undefined) return undefined;
  for (let slot = 0; slot < SLOTS; slot++) {
    const path = join(tmpdir(), `${PREFIX}${uid}-${slot}`);
    try {
      Deno.mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
    const lock = claim(path, uid, true);
    if (!lock) continue;
    try {
      for (const { name } of Deno.readDirSync(path)) {
        if (name !== LOCK) Deno.removeSync(join(path, name), { recursive: true });
      }
      return { path: Deno.realPathSync(path), lock };
    } catch (error) {
      lock.close();
      throw error;
    }
  }
  return undefined;
}

/** Undefined without the permission to ask, and on Windows, which removes no folder that is locked. */
function ownUid(): number | undefined {
  // Not to be asked at a terminal for a permission that the program can do without.
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "uid" });
  return state === "granted" ? process.getuid?.() : undefined;
}

function makeNew(): Claimed {
  const path = Deno.realPathSync(mkdtempSync(join(tmpdir(), PREFIX)));
  // Locked before it has the name by which others judge.
  const unnamed = join(path, `${LOCK}.new`);
  const lock = Deno.openSync(unnamed, { create: true, write: true, mode: 0o600 });
  lock.lockSync(true);
  Deno.renameSync(unnamed, join(path, LOCK));
  return { path, lock };
}

/**
 * Takes the lock of a folder, if it is free, and the folder is this user's alone: in a temporary
 * folder anybody may have made one of any name.
 */
function claim(path: string, owner: number | null, create: boolean): Deno.FsFile | undefined {
  let lock: Deno.FsFile | undefined;
  try {
    const folder = Deno.lstatSync(path);
    if (!folder.isDirectory || !isOwn(folder, owner)) return undefined;
    const lockPath = join(path, LOCK);
    // In one that is not made anew, the lock may be a FIFO that would block for ever.
    if (!isFileOrNothing(lockPath)) return undefined;
    lock = Deno.openSync(lockPath, { create, write: true, mode: 0o600 });
    if (!lock.tryLockSync(true)) return void lock.close();
    // Its owner may have removed it since it was opened: then it is another folder's, or none's.
    const [held, named] = [lock.statSync(), Deno.lstatSync(lockPath)];
    if (held.ino === named.ino && held.dev === named.dev) return lock;
  } catch {
    // One that is being made or removed, or can't be read: not ours to judge.
  }
  lock?.close();
  return undefined;
}

function isOwn({ uid, mode }: Deno.FileInfo, owner: number | null): boolean {
  return uid === owner && (uid === null || ((mode ?? 0) & 0o077) === 0);
}

function isFileOrNothing(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

/** Removes a folder whose lock is held; the lock last, so that nobody takes what is being removed. */
async function remove(path: string, lock: Deno.FsFile): Promise<void> {
  try {
    for (const name of await readdir(path)) {
      if (name !== LOCK) await rm(join(path, name), { recursive: true, force: true });
    }
    // Windows removes no open file.
    if (Deno.build.os === "windows") lock.close();
    await rm(join(path, LOCK), { force: true });
    await rmdir(path);
  } catch (error) {
    const { code } = error as { code?: unknown };
    // Somebody has cleaned up, or somebody has taken it in this moment.
    if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  } finally {
    if (Deno.build.os !== "windows") lock.close();
  }
}

/** Removes the user's folders of processes that ended without closing: `kill -9` leaves them. */
async function sweep(owner: number | null): Promise<void> {
  const temporary = tmpdir();
  // Cleaning up after others: what can't be read or removed must not keep from loading.
  const entries = await readdir(temporary).catch(() => []);
  for (const entry of entries) {
    if (!entry.startsWith(PREFIX)) continue;
    const path = join(temporary, entry);
    const lock = claim(path, owner, false);
    if (lock) await remove(path, lock).catch(() => {});
  }
}
