import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { describeError } from "../../manager/describe_error.ts";
import type { WatchEvent } from "../events.ts";

/** A directory that is to be watched, as it is now. */
export interface Root {
  /** What can be done about it. */
  readonly state: WatchEvent["state"];
  /** Another one means another directory, or another state of it. */
  readonly identity: string;
  /** What is the matter, where something is. */
  readonly message?: string;
}

/** Looks which directory is there, if one is. */
export async function lookAtRoot(directory: string): Promise<Root> {
  try {
    const stats = await stat(directory);
    if (!stats.isDirectory()) {
      const message = "it is not a directory";
      return { state: "error", identity: message, message };
    }
    await access(directory, constants.R_OK | constants.X_OK);
    const { dev, ino, birthtimeMs } = stats;
    // The time too: a directory made again may get the number of the one that went. And the way to it: once
    // a link is in the place of a folder above it, Deno (2.9.5) takes what happens for another's.
    const real = await realpath(directory);
    return { state: "watching", identity: `${dev}:${ino}:${birthtimeMs}:${real}` };
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") {
      return { state: "missing", identity: "missing" };
    }
    const message = describeError(error);
    return { state: "error", identity: message, message };
  }
}
