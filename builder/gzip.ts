import { gzipSync } from "node:zlib";

const OS_BYTE = 9;
const OS_UNKNOWN = 255;

/** Compresses so that the bytes are the same on every system and at every time. */
export function gzip(bytes: Uint8Array): Uint8Array {
  const packed = new Uint8Array(gzipSync(bytes, { level: 9 }));
  // zlib writes no time, but the system that it was compiled for.
  packed[OS_BYTE] = OS_UNKNOWN;
  return packed;
}
