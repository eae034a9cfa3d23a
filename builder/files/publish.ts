import { createReadStream } from "node:fs";
import { constants, copyFile, link, open, readdir, rm } from "node:fs/promises";
import { join } from "@std/path";
import {
  type ArtifactStem,
  artifactStem,
  HotplugError,
  parseLockFileName,
  tryParseArtifactName,
  tryParseInfoFileName,
} from "../../artifact/mod.ts";
import { errnoOf } from "./fs_error.ts";
import { quote } from "../quote.ts";
import { throwIfCancelled } from "../cancel.ts";
import { LINKS_NOT_SUPPORTED, temporaryName } from "./temporary_name.ts";

const PIECES = { highWaterMark: 1_048_576 };

/** A file to publish. */
export interface PublishedFile {
  /** Its final name in the destination. */
  readonly file: string;
  /** What is in it: bytes, or the path of a file that is copied. */
  readonly content: Uint8Array | string;
  /** Whether it is a program that the system can run. */
  readonly executable?: boolean;
}

/** How a file gets its final name: in one step, and never over another one. */
export type Linker = (from: string, to: string) => Promise<void>;

/**
 * Puts files into a destination under their final names, in the given order: all are written and
 * flushed under temporary names first. If one can't be put there, none stays.
 *
 * The caller holds the lock of name and SCN, which makes the whole of it one step to a host.
 *
 * @throws {HotplugError} With code `conflict`, if a name is taken; `publish` for what else fails.
 */
export async function publishFiles(
  dest: string,
  files: readonly PublishedFile[],
  options: { readonly signal?: AbortSignal | undefined; readonly linkFile?: Linker } = {},
): Promise<void> {
  const { signal, linkFile = link } = options;
  const made = new Set<string>();
  const temporaries: string[] = [];
  try {
    for (const file of files) {
      throwIfCancelled(signal);
      temporaries.push(await writeTemporary(dest, file));
    }
    throwIfCancelled(signal);
    for (const [index, { file }] of files.entries()) {
      await name(temporaries[index] ?? "", join(dest, file), linkFile, made);
    }
    await flushFolder(dest);
  } catch (cause) {
    for (const path of made) await rm(path, { force: true });
    if (cause instanceof HotplugError) throw cause;
    throw failure(dest, cause);
  } finally {
    for (const path of temporaries) await rm(path, { force: true });
  }
}

/**
 * Refuses a plugin whose name is another one's but for case, and an artifact whose stem is taken.
 *
 * @throws {HotplugError} With code `publish` for the first, `conflict` for the second.
 */
export async function checkDestination(
  dest: string,
  name: string,
  stems: readonly ArtifactStem[],
): Promise<void> {
  const wanted = new Set(stems.map(artifactStem));
  for (const file of await readdir(dest)) {
    const there = tryParseArtifactName(file) ?? tryParseInfoFileName(file);
    const other = there?.name ?? parseLockFileName(file)?.name;
    if (other === undefined) continue;
    if (other !== name && other.toLowerCase() === name.toLowerCase()) {
      throw new HotplugError(
        "publish",
        `Cannot publish ${quote(name)} into ${quote(dest)}: ${quote(other)} lies there, a name ` +
          `that differs only in case; choose one of the two`,
      );
    }
    if (there !== undefined && wanted.has(artifactStem(there))) throw taken(join(dest, file));
  }
}

async function writeTemporary(
  dest: string,
  { file, content, executable = false }: PublishedFile,
): Promise<string> {
  const path = join(dest, temporaryName(file));
  const handle = await open(path, "wx", executable ? 0o777 : 0o666);
  try {
    const chunks = typeof content === "string" ? createReadStream(content, PIECES) : [content];
    for await (const chunk of chunks) await handle.writeFile(chunk);
    await handle.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return path;
}

async function name(
  from: string,
  to: string,
  linkFile: Linker,
  made: Set<string>,
): Promise<void> {
  try {
    await linkFile(from, to);
    made.add(to);
  } catch (error) {
    const code = errnoOf(error) ?? "";
    if (code === "EEXIST") throw taken(to, error);
    if (!LINKS_NOT_SUPPORTED.has(code)) throw error;
    await copyTo(from, to, made);
  }
}

async function copyTo(from: string, to: string, made: Set<string>): Promise<void> {
  try {
    // Made before it is filled: what fails half way is ours to take away.
    await (await open(to, "wx")).close();
    made.add(to);
  } catch (error) {
    throw errnoOf(error) === "EEXIST" ? taken(to, error) : error;
  }
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  const handle = await open(to, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the names last through a power cut, where a folder can be flushed. */
async function flushFolder(dest: string): Promise<void> {
  try {
    const handle = await open(dest, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!["EISDIR", "EPERM", "EACCES", "EINVAL", "ENOTSUP"].includes(errnoOf(error) ?? "")) {
      throw error;
    }
  }
}

function taken(path: string, cause?: unknown): HotplugError {
  return new HotplugError(
    "conflict",
    `Cannot publish ${quote(path)}: an artifact of that name, SCN and target lies there; ` +
      `choose another SCN, or take it away`,
    { cause },
  );
}

function failure(dest: string, cause: unknown): HotplugError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HotplugError(
    "publish",
    `Cannot publish into ${quote(dest)}: ${why}; check the space and the rights there`,
    { cause },
  );
}
