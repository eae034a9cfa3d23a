import { accessSync, constants } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import { dirname, join } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { describeError } from "../../manager/describe_error.ts";
import { assertStore } from "./artifact_store.ts";
import { assertFileIfThere, assertNoLink, isFileThere } from "./is_file_there.ts";
import { JOURNAL_FILE } from "./load_journal.ts";
import { STATE_FILE } from "./state_file.ts";

/** A state folder that this process has for itself. */
export interface StateFolder {
  /** Its absolute path. */
  readonly path: string;
  /** What is the matter with how the daemon before this one ended; undefined if it ended in order. */
  readonly unended: string | undefined;
  /**
   * Sees to it that its path still leads to it: another daemon may have what is there instead.
   *
   * @throws {Error} Where it was moved or removed.
   */
  assertThere(): void;
  /** Lets others have it. */
  close(): Promise<void>;
}

/** The file in a state folder that is locked; nothing else is done with it. */
export const LOCK = "lock";
const OWNER = "owner.json";
/** What a disk of its own comes with. */
const LOST = "lost+found";

/**
 * Takes a folder for the state of one daemon; made where it is not there, with mode 0700.
 *
 * The lock is the operating system's: it goes with its process, however that ends. Beside it is
 * written who has it. All is synchronous: a few calls that are answered from memory,
 * each of which a thread's detour would make ten times as long.
 *
 * @throws {HotplugError} `state` where another daemon has it, or it can't be used.
 */
export async function takeStateFolder(path: string): Promise<StateFolder> {
  let lock: Deno.FsFile | undefined;
  try {
    makePrivate(path);
    assertFiles(path);
    lock = Deno.openSync(join(path, LOCK), { create: true, write: true, mode: 0o600 });
    // In a later turn if it is taken: who tries again and again lets others go on.
    if (!lock.tryLockSync(true) && !await lock.tryLock(true)) throw taken(path, readOwner(path));
    const unended = whoWas(path);
    writeOwner(path);
    const held = lock;
    const assertThere = (): void => {
      if (!isAt(path, held)) {
        throw new Error("the folder was moved, or another one is in its place");
      }
    };
    return { path, unended, assertThere, close: () => giveBack(path, held) };
  } catch (cause) {
    lock?.close();
    if (cause instanceof HotplugError) throw cause;
    throw new HotplugError(
      "state",
      `Cannot use state folder "${path}": ${describeError(cause)}; name another one (--state)`,
      { cause },
    );
  }
}

/** Asserts that what is opened in a folder is the folder's own, and nothing that it could be led away by. */
function assertFiles(path: string): void {
  for (const each of [LOCK, STATE_FILE, JOURNAL_FILE]) assertFileIfThere(join(path, each));
  // What else it is does no harm: then it is not written.
  assertNoLink(join(path, OWNER));
}

/** Only to say who it is: that there is no room for it is no reason not to begin. */
function writeOwner(path: string): void {
  const owner = { pid: Deno.pid, host: hostname(), since: new Date().toISOString() };
  const text = `${JSON.stringify(owner)}\n`;
  try {
    assertFileIfThere(join(path, OWNER));
    Deno.writeTextFileSync(join(path, OWNER), text, { mode: 0o600 });
  } catch {
    // As said.
  }
}

async function giveBack(path: string, lock: Deno.FsFile): Promise<void> {
  // What can't be removed is taken for a daemon that ended without closing, and no more.
  if (isAt(path, lock)) await Deno.remove(join(path, OWNER)).catch(() => {});
  // A child that is just being forked has it open too, until it runs a program of its own.
  await lock.unlock().catch(() => {});
  lock.close();
}

/** Whether the lock that is held is the one of the folder at the path. */
function isAt(path: string, lock: Deno.FsFile): boolean {
  try {
    const [own, found] = [lock.statSync(), Deno.statSync(join(path, LOCK))];
    return own.dev === found.dev && own.ino === found.ino;
  } catch (error) {
    // Without an answer, as where the disk fails, nothing speaks against it.
    return !(error instanceof Deno.errors.NotFound);
  }
}

/**
 * What would keep a daemon from using a folder for its state, whether another one has it or not;
 * undefined where nothing would. Nothing is made or changed.
 */
export function troubleWithStateFolder(path: string): string | undefined {
  try {
    let folder = path;
    // One that is not there is made, in what is there of its path.
    while (!isThere(folder) && dirname(folder) !== folder) folder = dirname(folder);
    if (!Deno.statSync(folder).isDirectory) return `"${folder}" is not a directory`;
    if (folder === path) isPrivate(path);
    assertWritable(folder);
    assertFiles(path);
    assertStore(path);
    return undefined;
  } catch (error) {
    return error instanceof HotplugError ? error.message : describeError(error);
  }
}

/**
 * By the kernel, which knows of groups and of file systems that are read-only: Deno (2.9.5) goes by the bits
 * of the mode alone. Where that program is not to be had, these have to do.
 */
function assertWritable(folder: string): void {
  let isWritable: boolean;
  try {
    const args = ["-w", folder, "-a", "-x", folder];
    isWritable = new Deno.Command("test", { args, stderr: "null" }).outputSync().success;
  } catch {
    return accessSync(folder, constants.W_OK | constants.X_OK);
  }
  if (!isWritable) throw new Error(`"${folder}" can't be written to by this user`);
}

/** Whether a daemon has a folder for its state; nothing is made or changed. */
export function isStateFolderTaken(path: string): boolean {
  try {
    if (!isFileThere(join(path, LOCK))) return false;
    using lock = Deno.openSync(join(path, LOCK));
    // Shared: two who ask at once do not take each other for a daemon. Who wants to have it meanwhile
    // tries twice.
    return !lock.tryLockSync();
  } catch {
    // Whether it can be used is asked elsewhere.
    return false;
  }
}

/** Whether a folder was a daemon's state and is none's now: one that has ended, or a copy. */
export function isStateFolderLeft(path: string): boolean {
  return isThere(join(path, LOCK)) && !isStateFolderTaken(path);
}

/** A link that leads nowhere is something, too: nothing can be made in its place. */
function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function makePrivate(path: string): void {
  Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
  if (!isPrivate(path)) Deno.chmodSync(path, 0o700);
}

/**
 * Whether only this process's user reaches it; false where that can be made so.
 *
 * @throws {HotplugError} `state` where it is not to be made so.
 */
function isPrivate(path: string): boolean {
  const foreign = overwritten(path);
  if (foreign !== undefined) {
    throw new HotplugError(
      "state",
      `Cannot use state folder "${path}": "${foreign}" in it is no daemon's, and would be written over; ` +
        "name a folder of its own (--state)",
    );
  }
  if (Deno.build.os === "windows") return true;
  const { mode } = Deno.statSync(path);
  const uid = ownerOf(path);
  const own = process.getuid?.();
  if (own !== undefined && uid !== own) {
    throw new HotplugError(
      "state",
      `Cannot use state folder "${path}": it belongs to user ${uid}, and this process runs as ` +
        `${own}; name another one (--state)`,
    );
  }
  if (((mode ?? 0) & 0o077) === 0) return true;
  const others = foreignName(path);
  if (others !== undefined) {
    throw new HotplugError(
      "state",
      `Cannot use state folder "${path}": others can read it, and "${others}" in it is no daemon's; ` +
        "name a folder of its own (--state)",
    );
  }
  return false;
}

/**
 * Whose a folder is. Where a link leads to it, whoever has that can lead it elsewhere; but for root, who
 * can do so anyway: systemd makes such a link for a unit's folder.
 */
function ownerOf(path: string): number | null {
  const [link, { uid }] = [Deno.lstatSync(path), Deno.statSync(path)];
  return link.isSymlink && link.uid !== 0 && link.uid !== uid ? link.uid : uid;
}

/**
 * Something in a folder that no daemon has had yet: whoever else needs that, as in `/tmp`, would be
 * locked out.
 */
function foreignName(path: string): string | undefined {
  const names = Array.from(Deno.readDirSync(path), ({ name }) => name);
  return names.includes(LOCK) ? undefined : names.find((name) => name !== LOST);
}

/** So what a daemon writes over without asking begins, where a daemon has written it. */
const BEGINNINGS = { [JOURNAL_FILE]: /^[\n\0]*(\{"id":|$)/, [OWNER]: /^(\{"pid":|$)/ };

/** Something of somebody else's, in a folder that no daemon has had yet, that would be written over. */
function overwritten(path: string): string | undefined {
  if (isThere(join(path, LOCK))) return undefined;
  const found = Object.entries(BEGINNINGS).find(([name, ours]) =>
    !ours.test(beginningOf(join(path, name)))
  );
  return found?.[0];
}

/** A few bytes of a file; none where there is none, or something else. */
function beginningOf(path: string): string {
  try {
    if (!isFileThere(path)) return "";
  } catch {
    // Whether that can be used is asked elsewhere.
    return "";
  }
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(64);
  return new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0));
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}

function readOwner(path: string): Owner | undefined {
  try {
    if (!isFileThere(join(path, OWNER))) return undefined;
    const text = Deno.readTextFileSync(join(path, OWNER));
    const { pid, host, since } = JSON.parse(text);
    // Rubbish tells as little as nothing.
    return [typeof pid, typeof host, typeof since].join() === "number,string,string"
      ? { pid, host, since }
      : undefined;
  } catch {
    // Not written yet, or removed meanwhile: who it was is not to be known.
    return undefined;
  }
}

function whoWas(path: string): string | undefined {
  const owner = readOwner(path);
  return owner && `the daemon of process ${owner.pid} on "${owner.host}", which began at ` +
      `${owner.since}, ended without closing`;
}

function taken(path: string, owner: Owner | undefined): HotplugError {
  const who = owner ? `process ${owner.pid} on "${owner.host}"` : "another process";
  return new HotplugError(
    "state",
    `Cannot use state folder "${path}": the daemon of ${who} has it; stop that one, or name ` +
      "another folder (--state)",
  );
}
