import { Buffer } from "node:buffer";

/** Writes bytes as base64: the standard alphabet, padded. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/**
 * Reads base64 that is written in the one canonical way; nothing else is base64 here.
 *
 * DSSE lets verifiers take the alphabet for URLs too. Here not: what is signed has one writing.
 */
export function decodeBase64(
  text: string,
  alphabet: "base64" | "base64url" = "base64",
): Uint8Array<ArrayBuffer> | undefined {
  const bytes = Buffer.from(text, alphabet);
  // Node's reader skips what it doesn't know, so only the way back tells.
  return bytes.toString(alphabet) === text ? Uint8Array.from(bytes) : undefined;
}
