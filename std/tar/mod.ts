/**
 * Stand-in for `jsr:@std/tar`: `UntarStream`, with its headers read by `npm:tar`.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Header } from "npm:tar@7.5.23/header";

/** The fields of a header that every tar has. */
export interface OldStyleFormat {
  /** The name of the entry. */
  name: string;
  /** The mode of the entry. */
  mode: number;
  /** The uid of the entry. */
  uid: number;
  /** The gid of the entry. */
  gid: number;
  /** The size of the entry. */
  size: number;
  /** The mtime of the entry, in seconds. */
  mtime: number;
  /** The typeflag of the entry. */
  typeflag: string;
  /** The linkname of the entry. */
  linkname: string;
}

/** An entry of a tar. */
export interface TarStreamEntry {
  /** What its header says. */
  header: OldStyleFormat;
  /** Its path, as the archive has it. */
  path: string;
  /** Its content, if it is of a kind that has any. */
  readable?: ReadableStream<Uint8Array>;
}

const BLOCK = 512;
const BODILESS = ["1", "2", "3", "4", "5", "6"];

/**
 * Expands a tar: bytes in, entries out. An entry's content is read or cancelled before the next
 * entry comes. Extended headers (pax, GNU) come as entries of their own.
 */
export class UntarStream implements TransformStream<Uint8Array, TarStreamEntry> {
  readonly #readable: ReadableStream<TarStreamEntry>;
  readonly #writable: WritableStream<Uint8Array>;
  readonly #blocks: AsyncGenerator<Uint8Array>;
  #ahead: Uint8Array[] = [];
  #free: Promise<void> = Promise.resolve();

  /** Makes the two ends. */
  constructor() {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    this.#writable = writable;
    this.#blocks = blocksOf(readable);
    this.#readable = ReadableStream.from(this.#entries());
  }

  /** The entries. */
  get readable(): ReadableStream<TarStreamEntry> {
    return this.#readable;
  }

  /** Where the bytes go. */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable;
  }

  async *#entries(): AsyncGenerator<TarStreamEntry> {
    for (let count = 0; count < 2; count++) {
      const { value } = await this.#blocks.next();
      if (value === undefined) throw new RangeError(failed("The tarball is too small to be valid"));
      this.#ahead.push(value);
    }
    while (true) {
      await this.#free;
      const ended = this.#ahead.every((block) => block.every((byte) => byte === 0));
      const block = ended ? undefined : await this.#next();
      if (ended) return void await this.#blocks.return(undefined);
      if (block === undefined) throw new TypeError(failed("The tarball has invalid ending"));
      const entry = readEntry(block);
      if (!BODILESS.includes(entry.header.typeflag)) entry.readable = this.#content(entry);
      yield entry;
    }
  }

  /** The next block; two stay behind it, since a tar ends with two that are empty. */
  async #next(): Promise<Uint8Array | undefined> {
    const { value } = await this.#blocks.next();
    if (value === undefined) return undefined;
    this.#ahead.push(value);
    return this.#ahead.shift();
  }

  #content({ header: { size } }: TarStreamEntry): ReadableStream<Uint8Array> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#free = promise;
    let left = size;
    const next = async () => {
      const length = Math.min(left, BLOCK);
      left -= length; // at once: a cancel may come while a block is on its way
      const block = await this.#next();
      if (block === undefined) throw new SyntaxError(failed("Unexpected end of Tarball"));
      return block.subarray(0, length);
    };
    return new ReadableStream({
      async pull(controller) {
        if (left > 0) return controller.enqueue(await next());
        resolve();
        controller.close();
      },
      async cancel() {
        while (left > 0) await next();
        resolve();
      },
    });
  }
}

function readEntry(block: Uint8Array): TarStreamEntry {
  const read = new Header(Buffer.from(block.buffer, block.byteOffset, BLOCK));
  if (!read.cksumValid) {
    throw new SyntaxError(failed("An archive entry has invalid header checksum"));
  }
  const { path = "", mode = NaN, uid = NaN, gid = NaN, mtime, linkpath = "" } = read;
  const [name = ""] = new TextDecoder().decode(block.subarray(0, 100)).split("\0");
  return {
    path,
    header: {
      name,
      mode,
      uid,
      gid,
      // Octal digits only: what GNU writes in base 256 is no number to the real one either.
      size: (block[124] ?? 0) & 0x80 ? NaN : read.size ?? NaN,
      mtime: mtime === undefined ? NaN : mtime.getTime() / 1000,
      typeflag: String.fromCharCode(block[156] || 48),
      linkname: linkpath,
    },
  };
}

async function* blocksOf(bytes: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array();
  for await (const chunk of bytes) {
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = all.length - all.length % BLOCK;
    for (let at = 0; at < whole; at += BLOCK) yield all.subarray(at, at + BLOCK);
    rest = all.slice(whole);
  }
  if (rest.length > 0) {
    throw new RangeError(
      failed(`The tarball chunk has an unexpected number of bytes (${rest.length})`),
    );
  }
}

function failed(why: string): string {
  return `Cannot extract the tar archive: ${why}`;
}
