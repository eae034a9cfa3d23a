import type { Stats } from "node:fs";
import { tmpdir } from "node:os";
import { chmod, lstat, rename } from "node:fs/promises";
import process from "node:process";
import { dirname, join } from "@std/path";
import { HotplugError, sha256 } from "../../artifact/mod.ts";
import { describeError } from "../../manager/describe_error.ts";
import { shutDown } from "../shut_down.ts";
import { isLive } from "./control_place.ts";

/** The most bytes of a socket's path, its end included, that the systems have in common. */
const MAX_PATH = 103;
const PATIENCE = 2_000;
const PAUSE = 50;

/** Where a control's socket is to be. */
export interface SocketPlace {
  /** Its path. */
  readonly path: string;
  /** The folder that was made for it alone; undefined where it lies in the state folder. */
  readonly folder: string | undefined;
}

/**
 * Finds a place for the socket of a state folder: in it, or where its path is too long for a socket, in
 * a private folder below the runtime folder.
 *
 * @throws {HotplugError} `listen` where there is none.
 */
export async function placeSocket(state: string): Promise<SocketPlace> {
  const path = inState(state);
  if (byteLength(path) <= MAX_PATH) return { path, folder: undefined };
  const folder = join(runtimeFolder(), `hotplug-${sha256(state).slice(0, 12)}`);
  const other = join(folder, "control.sock");
  if (byteLength(other) > MAX_PATH) {
    throw new HotplugError(
      "listen",
      `Cannot listen at "${path}" or "${other}": both are too long for a socket; name a state ` +
        "folder with a shorter path (--state)",
    );
  }
  await makePrivate(folder);
  return { path: other, folder };
}

function inState(state: string): string {
  return join(state, "control.sock");
}

/** Removes the socket that a daemon that was killed has left in a state folder. */
export async function removeLeftSocket(state: string): Promise<void> {
  const path = inState(state);
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isSocket() || await isLive({ socket: path })) return;
  await Deno.remove(path).catch(() => {});
}

/**
 * Makes room for a socket: one that nobody listens at any more is removed. A daemon that is ending is
 * waited for.
 *
 * @throws {HotplugError} `listen` where somebody listens at it, or it is something else.
 */
export async function clearSocket(path: string, patience = PATIENCE): Promise<void> {
  for (const began = Date.now();;) {
    const found = await lstat(path).catch(() => undefined);
    if (!found) return;
    if (!found.isSocket()) throw taken(path, "something that is no socket is there; remove it");
    if (!await isLive({ socket: path })) return await Deno.remove(path).catch(() => {});
    if (Date.now() - began >= patience) throw taken(path, "somebody listens there already");
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** A socket that is listened at. */
export interface OpenSocket<S> {
  /** What listens. */
  readonly server: S;
  /** Removes it, if it is still there, and not another's by now. */
  remove(): Promise<void>;
}

/**
 * Listens at a place, where nobody must; other users are kept out before it is there.
 *
 * What listens does so under another name: that it removes at its end, whoever has it by then.
 */
export async function openSocket<S extends Parameters<typeof shutDown>[0]>(
  { path }: SocketPlace,
  listen: (path: string) => Promise<S>,
): Promise<OpenSocket<S>> {
  const made = join(dirname(path), "control.new");
  await clearSocket(path);
  await clearSocket(made);
  const server = await listen(made);
  const { dev, ino } = await moveSocket(made, path).catch(async (error) => {
    await shutDown(server);
    throw error;
  });
  return {
    server,
    remove: async () => {
      const found = await lstat(path).catch(() => undefined);
      if (found?.dev === dev && found.ino === ino) await Deno.remove(path).catch(() => {});
    },
  };
}

/** Answers with what tells it from another one of its name. */
async function moveSocket(from: string, to: string): Promise<Pick<Stats, "dev" | "ino">> {
  await chmod(from, 0o600);
  const stat = await lstat(from);
  await rename(from, to);
  return stat;
}

function runtimeFolder(): string {
  const { XDG_RUNTIME_DIR } = process.env;
  return XDG_RUNTIME_DIR?.startsWith("/") ? XDG_RUNTIME_DIR : tmpdir();
}

async function makePrivate(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { mode: 0o700 }).catch((error) => {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    });
    // Not followed: in a folder that all may write into, somebody else may have been here first.
    const stat = await lstat(folder);
    const own = process.getuid?.();
    if (!stat.isDirectory() || own !== undefined && stat.uid !== own) {
      throw new Error("it is not this user's own folder");
    }
    if ((stat.mode & 0o077) !== 0) await chmod(folder, 0o700);
  } catch (cause) {
    throw taken(
      folder,
      `${describeError(cause)}; name a state folder with a shorter path (--state)`,
    );
  }
}

/** Removes what was made for the socket, if it is empty. */
export async function removeSocketPlace({ path, folder }: SocketPlace): Promise<void> {
  if (folder !== undefined) await Deno.remove(dirname(path)).catch(() => {});
}

function taken(path: string, why: string): HotplugError {
  return new HotplugError("listen", `Cannot listen at "${path}": ${why}`);
}

function byteLength(path: string): number {
  return new TextEncoder().encode(path).length;
}
