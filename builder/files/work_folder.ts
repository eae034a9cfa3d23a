import { randomBytes } from "node:crypto";
import { lstat, mkdir, readdir, readlink, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import process from "node:process";
import { join, SEPARATOR } from "@std/path";
import { DEFAULT_STALE_LOCK_MS, HotplugError } from "../../artifact/mod.ts";
import { errnoOf, unlessMissing } from "./fs_error.ts";
import { quote } from "../quote.ts";
import { formatOwner, isRunning, ownerState, parseOwner, thisOwner } from "./owner.ts";

const PREFIX = "hotplug-build-";
const REMOVE_TRIES = 20;

/** A private folder (mode 0700) of one build, in the system's temporary folder. */
export interface WorkFolder extends AsyncDisposable {
  /** Its absolute path, links resolved. */
  readonly path: string;
}

/** Makes the private folder of a build; disposing removes it with all that is in it. */
export async function makeWorkFolder(parent: string = tmpdir()): Promise<WorkFolder> {
  const name = `${PREFIX}${formatOwner(thisOwner())}-${randomBytes(6).toString("hex")}`;
  const path = join(await findParent(parent), name);
  await mkdir(path, { mode: 0o700 }).catch((cause) => {
    throw unusable(parent, cause);
  });
  return { path, [Symbol.asyncDispose]: () => removeTree(path) };
}

/**
 * Removes the work folders that dead builds left in the system's temporary folder, and ends what
 * they left running there: a killed build's bundler would write on.
 */
export async function sweepWorkFolders(parent: string = tmpdir()): Promise<void> {
  const root = await findParent(parent);
  const dead: string[] = [];
  const names = await readdir(root).catch((cause) => {
    throw unusable(parent, cause);
  });
  for (const name of names) {
    if (name.startsWith(PREFIX) && await isDeadFolder(root, name)) dead.push(join(root, name));
  }
  if (dead.length === 0) return;
  await endOrphans(dead);
  for (const path of dead) {
    try {
      await removeTree(path);
    } catch (error) {
      // Another user's, or another sweep is at it: no reason to fail a build.
      if (!["EACCES", "EPERM", "ENOTEMPTY", "EBUSY"].includes(errnoOf(error) ?? "")) throw error;
    }
  }
}

async function findParent(parent: string): Promise<string> {
  try {
    return await realpath(parent);
  } catch (cause) {
    throw unusable(parent, cause);
  }
}

function unusable(parent: string, cause: unknown): HotplugError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HotplugError(
    "io",
    `Cannot build in ${
      quote(parent)
    }: ${why}; see that this folder is there, has space and can be ` +
      "written to, or name another one with TMPDIR",
    { cause },
  );
}

async function isDeadFolder(root: string, name: string): Promise<boolean> {
  const stat = await unlessMissing(lstat(join(root, name)), undefined);
  if (!stat?.isDirectory()) return false;
  const owner = parseOwner(name.slice(PREFIX.length).replace(/-[0-9a-f]+$/, ""));
  const state = owner === undefined ? "unknown" : ownerState(owner);
  if (state !== "unknown") return state === "dead";
  return Date.now() - stat.mtimeMs > DEFAULT_STALE_LOCK_MS;
}

/**
 * Ends what has its working folder inside of one of them. Only Linux can tell, and Deno looks there
 * only for who may do all; elsewhere they end by themselves, when they are done.
 */
export async function endOrphans(folders: readonly string[]): Promise<void> {
  if (process.platform !== "linux") return;
  const pids = (await processes()).filter((name) => /^\d+$/.test(name));
  const orphans: number[] = [];
  for (const pid of pids) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => ""); // another user's, or gone
    if (!folders.some((folder) => cwd === folder || cwd.startsWith(folder + SEPARATOR))) continue;
    orphans.push(Number(pid));
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch (error) {
      // It ended just now, or is another user's.
      if (!["ESRCH", "EPERM"].includes(errnoOf(error) ?? "")) throw error;
    }
  }
  for (let tries = 0; tries < 100 && orphans.some(isRunning); tries++) await pause(10);
}

async function processes(): Promise<string[]> {
  try {
    return await readdir("/proc");
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || errnoOf(error) !== undefined) return [];
    throw error;
  }
}

/** Removes a tree that a process just ended may have written into a moment ago. */
async function removeTree(path: string): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      return await rm(path, { recursive: true, force: true });
    } catch (error) {
      const passing = ["ENOTEMPTY", "EBUSY", "EPERM"].includes(errnoOf(error) ?? "");
      if (!passing || tries === REMOVE_TRIES) throw error;
      await pause(25);
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
