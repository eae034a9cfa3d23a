import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGzip, gzipSync } from "node:zlib";

const OS_BYTE = 9;
const OS_UNKNOWN = 255;

/** Compresses so that the bytes are the same on every system and at every time. */
export function gzip(bytes: Uint8Array): Uint8Array {
  const packed = new Uint8Array(gzipSync(bytes, { level: 9 }));
  // zlib writes no time, but the system that it was compiled for.
  packed[OS_BYTE] = OS_UNKNOWN;
  return packed;
}

/** Compresses a file of any size into another, see {@linkcode gzip}. */
export async function gzipFile(from: string, to: string): Promise<void> {
  async function* withoutSystem(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    let offset = 0;
    for await (const chunk of chunks) {
      const index = OS_BYTE - offset;
      if (index >= 0 && index < chunk.byteLength) chunk[index] = OS_UNKNOWN;
      offset += chunk.byteLength;
      yield chunk;
    }
  }
  // The highest level takes three times as long, and takes off another percent.
  const packer = createGzip({ level: 6 });
  await pipeline(createReadStream(from), packer, withoutSystem, createWriteStream(to));
}
