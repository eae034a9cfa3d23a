import { fstatSync, writeSync } from "node:fs";

/** Writes the text to one of the process's streams; resolves to whether somebody is there to read it. */
export type WriteLater = (text: string) => Promise<boolean>;

/** How long a pipe that does not wait by itself is left alone once it is full, in milliseconds. */
const FULL_MS = 10;
const NEWLINE = 10;
const O_NONBLOCK = 0o4000;
/** So much goes into a pipe of Linux whole, or not at all. Of what is longer Deno does not tell how much did. */
const PIPE_BUF = 4096;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes it all at once: nothing is lost when the process ends right after. Answers with whether somebody
 * is there to read it: `| head` is no failure.
 *
 * @throws {Error} Where it can't be written, as on a full disk.
 */
export function writeNow(fd: 1 | 2, text: string): boolean {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.byteLength;) {
    try {
      done += writeSync(fd, pieceOf(bytes, done));
    } catch (error) {
      if (isUnread(error, fd)) return false;
      Atomics.wait(PAUSE, 0, 0, FULL_MS);
    }
  }
  return true;
}

/**
 * Makes what writes to a stream of the process while the event loop goes on, however long nobody reads:
 * another thread waits for that.
 *
 * @throws {Error} By what it makes, where it can't be written, as on a full disk.
 */
export function writerLater(
  stream: typeof Deno.stdout | typeof Deno.stderr,
  fd: 1 | 2,
): WriteLater {
  // Its own function: another may be put in its place while plugins run.
  const write = stream.write.bind(stream);
  // Then nobody waits for it, and piece by piece it is known what it has taken.
  let neverWaits = isNonBlocking(fd);
  return async (text) => {
    const bytes = new TextEncoder().encode(text);
    for (let done = 0; done < bytes.byteLength;) {
      const piece = pieceOf(bytes, done);
      try {
        done += neverWaits ? writeSync(fd, piece) : await write(piece);
      } catch (error) {
        if (isUnread(error, fd)) return false;
        // Who shares it may have made it so since.
        neverWaits = true;
        await new Promise((resolve) => setTimeout(resolve, FULL_MS));
      }
    }
    return true;
  };
}

/** As many whole lines as go in as one: both streams may be one pipe, and what one says is not torn by the other. */
function pieceOf(bytes: Uint8Array, from: number): Uint8Array {
  const piece = bytes.subarray(from, from + PIPE_BUF);
  if (from + piece.length === bytes.length) return piece;
  const lines = piece.lastIndexOf(NEWLINE) + 1;
  return lines > 0 ? piece.subarray(0, lines) : piece;
}

/**
 * Whether who reads has gone away; otherwise the pipe does not wait by itself, and is full.
 *
 * @throws {Error} What it is instead.
 */
function isUnread(error: unknown, fd: number): boolean {
  const { code } = error as { code?: string };
  if (code === "EPIPE") return true;
  // A terminal that was closed; of a file it is the disk that fails.
  if (code === "EIO" && fstatSync(fd).isCharacterDevice()) return true;
  if (code === "EAGAIN") return false;
  throw error;
}

/** As Linux tells; elsewhere it is learnt as it is full for the first time. */
function isNonBlocking(fd: number): boolean {
  try {
    const [, flags = ""] = /^flags:\s*(\d+)$/m.exec(
      Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`),
    ) ?? [];
    return (parseInt(flags, 8) & O_NONBLOCK) !== 0;
  } catch {
    return false;
  }
}
