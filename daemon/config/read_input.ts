import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { isatty } from "node:tty";

/** Not to wait at a pipe that nobody writes into, nor at a device that has nothing to say; 0 on Windows. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
/** So long somebody has to begin to write into a pipe, and a device to come to its end, in milliseconds. */
const NOBODY = 5_000;
/** So long whoever writes into it, or types, has to come to an end: enough for a password. */
const PATIENCE = 60_000;
const PAUSE = 10;
const PIECE = 64 * 1024;

/**
 * Reads the text of a file that a person has named, whole, and without a byte order mark in front.
 *
 * A pipe too, as `<(pass show key)` makes one; but it neither waits for ever, nor reads on for ever where
 * a name leads to a device.
 *
 * @throws {Error} Where it can't be read, has more bytes, or is no text in UTF-8.
 */
export async function readInput(path: string, maxBytes: number): Promise<string> {
  const file = await open(path, OPEN_FLAGS);
  try {
    const stat = await file.stat();
    const isPipe = stat.isFIFO();
    const patience = stat.isFile() ? Infinity : isPipe || isatty(file.fd) ? PATIENCE : NOBODY;
    const decoder = new TextDecoder("utf-8", { fatal: true });
    const buffer = new Uint8Array(PIECE);
    const began = performance.now();
    let text = "";
    for (let length = 0; length <= maxBytes;) {
      const bytesRead = await readSome(file, buffer);
      if (bytesRead === 0 && (!isPipe || length > 0)) return text + decode(decoder);
      const waited = performance.now() - began;
      if (bytesRead === 0 && waited > NOBODY) throw new Error("nobody has written into this pipe");
      if (waited > patience) throw new Error(`it had no end within ${patience / 1000} s`);
      if (bytesRead) text += decode(decoder, buffer.subarray(0, bytesRead));
      else await new Promise((resolve) => setTimeout(resolve, PAUSE));
      length += bytesRead ?? 0;
    }
    throw new Error(`it has more than ${maxBytes} bytes`);
  } finally {
    await file.close();
  }
}

/** How many bytes were read, 0 at the end; undefined where there are none yet. */
async function readSome(file: FileHandle, buffer: Uint8Array): Promise<number | undefined> {
  try {
    return (await file.read(buffer, 0, buffer.length, null)).bytesRead;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "EAGAIN") return undefined;
    throw error;
  }
}

function decode(decoder: TextDecoder, bytes?: Uint8Array): string {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined });
  } catch (cause) {
    throw new Error("it is no text in UTF-8", { cause });
  }
}
