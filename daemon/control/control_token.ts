import { randomBytes } from "node:crypto";
import { lstat } from "node:fs/promises";
import { join } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { describeError } from "../../manager/describe_error.ts";
import { writeAtomically } from "../state/write_atomically.ts";

/** The name of the file with the token, in a state folder. */
export const TOKEN_FILE = "control.token";

/**
 * The token of a state folder; generated where it has none, and the same from then on.
 *
 * @throws {HotplugError} `state` where it can't be read or written.
 */
export async function generatedToken(state: string): Promise<string> {
  const path = join(state, TOKEN_FILE);
  try {
    const before = await readPrivate(path);
    if (before !== undefined) return before;
    const token = randomBytes(32).toString("base64url");
    await writeAtomically(path, `${token}\n`);
    return token;
  } catch (cause) {
    throw new HotplugError(
      "state",
      `Cannot have a token in "${path}": ${describeError(cause)}; give one (--token-file)`,
      { cause },
    );
  }
}

/** What others could have read is no secret any more. */
async function readPrivate(path: string): Promise<string | undefined> {
  try {
    const stat = await lstat(path);
    const { mode } = stat;
    if (!stat.isFile()) return undefined;
    if (Deno.build.os !== "windows" && (mode & 0o077) !== 0) return undefined;
    const token = (await Deno.readTextFile(path)).trim();
    return /^[\w-]{43}$/.test(token) ? token : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || (error as { code?: unknown }).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}
