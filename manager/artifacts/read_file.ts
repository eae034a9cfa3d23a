import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  read,
  readSync,
  realpathSync,
  type Stats,
} from "node:fs";
import { promisify } from "node:util";
import { dirname, isAbsolute, relative, SEPARATOR } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";

/** Not to block on a FIFO, and not to follow a link that came after resolving; 0 on Windows. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/** Up to so many bytes a file is read at once. */
const SMALL = 512 * 1024;

/** How much of a large file is read at once. */
const PIECE = 1024 * 1024;

const readLater = promisify(read);

/**
 * Reads a regular file whole, once.
 *
 * Links are followed as long as they end inside the root, by default the folder that the path names:
 * a volume that swaps `..data` works, a link to `/etc` does not. Afterwards the path must lead to the
 * same file still, in the same size.
 *
 * @throws {HotplugError} `io` where it can't be read, `integrity` for what is no regular file or
 * lies outside, `limit` past the limit.
 */
export async function readRegularFile(
  path: string,
  maxSize: number,
  root: string = dirname(path),
): Promise<Uint8Array<ArrayBuffer>> {
  let file: number | undefined;
  try {
    file = openInside(path, root);
    const stat = fstatSync(file);
    if (!stat.isFile()) throw refusal(path, "it is not a regular file");
    if (stat.size > maxSize) {
      throw new HotplugError(
        "limit",
        `Cannot read "${path}": its ${stat.size} bytes are more than the limit of ${maxSize}`,
      );
    }
    const bytes = await readExactly(file, stat.size, path);
    assertSame(path, root, stat, fstatSync(file));
    return bytes;
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
export async function* readRegularPieces(
  path: string,
  root: string = dirname(path),
): AsyncGenerator<Uint8Array> {
  let file: number | undefined;
  try {
    file = openInside(path, root);
    const stat = fstatSync(file);
    if (!stat.isFile()) throw refusal(path, "it is not a regular file");
    const buffer = new Uint8Array(PIECE);
    for (;;) {
      const { bytesRead } = await readLater(file, buffer, 0, PIECE, null);
      if (bytesRead === 0) return assertSame(path, root, stat, fstatSync(file));
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
function openInside(path: string, root: string): number {
  const real = resolveInside(path, root);
  // A device or FIFO may act on being opened, so it is not opened.
  if (!lstatSync(real).isFile()) throw refusal(path, "it is not a regular file");
  return openSync(real, OPEN_FLAGS);
}

function resolveInside(path: string, root: string): string {
  const real = realpathSync.native(path);
  const inside = relative(realpathSync.native(root), real);
  if (inside === ".." || inside.startsWith(`..${SEPARATOR}`) || isAbsolute(inside)) {
    throw refusal(path, "it is a link that ends outside its folder; copy the file instead");
  }
  return real;
}

/** A folder on the way may have been replaced between resolving and opening: then it is another file. */
function assertSame(path: string, root: string, before: Stats, after: Stats): void {
  const named = lstatSync(resolveInside(path, root));
  const same = [after, named].every(({ dev, ino, size }) =>
    dev === before.dev && ino === before.ino && size === before.size
  );
  if (!same) throw changed(path);
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
  if (length !== size) throw changed(path);
  return bytes.subarray(0, size);
}

function changed(path: string): HotplugError {
  return new HotplugError("io", `Cannot read "${path}": it changed while it was read; try again`);
}

function refusal(path: string, why: string): HotplugError {
  return new HotplugError("integrity", `Cannot read "${path}": ${why}`);
}

function ioError(path: string, cause: unknown): HotplugError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HotplugError("io", `Cannot read "${path}": ${why}`, { cause });
}
