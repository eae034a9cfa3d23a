import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  read,
  readSync,
  realpathSync,
} from "node:fs";
import { promisify } from "node:util";
import { dirname, isAbsolute, relative, SEPARATOR } from "@std/path";
import { HotplugError } from "../artifact/mod.ts";

/** Not to block on a FIFO, and not to follow a link that came after resolving; 0 on Windows. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/** Up to so many bytes a file is read at once. */
const SMALL = 128 * 1024;

/** How much of a large file is read at once. */
const PIECE = 1024 * 1024;

const readLater = promisify(read);

/**
 * Reads a regular file whole, once.
 *
 * Links are followed as long as they end inside the folder that the path names: a volume that
 * swaps `..data` works, a link to `/etc` does not.
 *
 * @throws {HotplugError} `io` where it can't be read, `integrity` for what is no regular file or
 * lies outside, `limit` past the limit.
 */
export async function readRegularFile(
  path: string,
  maxSize: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let file: number | undefined;
  try {
    file = openInside(path);
    const stat = fstatSync(file);
    if (!stat.isFile()) throw refusal(path, "it is not a regular file");
    if (stat.size > maxSize) {
      throw new HotplugError(
        "limit",
        `Cannot read "${path}": its ${stat.size} bytes are more than the limit of ${maxSize}`,
      );
    }
    return await readExactly(file, stat.size, path);
  } catch (error) {
    if (error instanceof HotplugError) throw error;
    throw ioError(path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * Reads a regular file piece by piece, as {@linkcode readRegularFile} does it whole: for what is too
 * large to be held in memory. A piece holds until the next one is asked for.
 *
 * @throws {HotplugError} `io` where it can't be read, `integrity` for what is no regular file or
 * lies outside.
 */
export async function* readRegularPieces(path: string): AsyncGenerator<Uint8Array> {
  let file: number | undefined;
  try {
    file = openInside(path);
    if (!fstatSync(file).isFile()) throw refusal(path, "it is not a regular file");
    const buffer = new Uint8Array(PIECE);
    for (;;) {
      const { bytesRead } = await readLater(file, buffer, 0, PIECE, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw error instanceof HotplugError ? error : ioError(path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

// Synchronous, as the reading of small files: a few system calls that are answered from memory take
// less time than one detour by a thread.
function openInside(path: string): number {
  const real = realpathSync.native(path);
  const root = realpathSync.native(dirname(path));
  const inside = relative(root, real);
  if (inside === ".." || inside.startsWith(`..${SEPARATOR}`) || isAbsolute(inside)) {
    throw refusal(path, "it is a link that ends outside its folder; copy the file instead");
  }
  // A device or FIFO may act on being opened, so it is not opened.
  if (!lstatSync(real).isFile()) throw refusal(path, "it is not a regular file");
  return openSync(real, OPEN_FLAGS);
}

async function readExactly(
  file: number,
  size: number,
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  // One byte more than the size: a file that grows meanwhile is noticed.
  const bytes = new Uint8Array(size + 1);
  let length = 0;
  while (length < bytes.length) {
    const left = bytes.length - length;
    const bytesRead = size <= SMALL
      ? readSync(file, bytes, length, left, length)
      : (await readLater(file, bytes, length, left, length)).bytesRead;
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  if (length !== size) {
    throw new HotplugError("io", `Cannot read "${path}": it changed while it was read; try again`);
  }
  return bytes.subarray(0, size);
}

function refusal(path: string, why: string): HotplugError {
  return new HotplugError("integrity", `Cannot read "${path}": ${why}`);
}

function ioError(path: string, cause: unknown): HotplugError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HotplugError("io", `Cannot read "${path}": ${why}`, { cause });
}
