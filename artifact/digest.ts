import { createHash } from "node:crypto";

/** The size and the digest of something that was read as a stream. */
export interface StreamDigest {
  /** How many bytes there were. */
  readonly size: number;
  /** Their SHA-256, as 64 lower-case hex digits. */
  readonly sha256: string;
}

/**
 * Answers with the SHA-256 of bytes, or of a text as UTF-8, as 64 lower-case hex digits.
 *
 * @example
 * ```ts
 * import { sha256 } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   sha256("abc"),
 *   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
 * );
 * ```
 */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Answers with size and SHA-256 of what a stream delivers, without holding it in memory. */
export async function sha256Stream(chunks: AsyncIterable<Uint8Array>): Promise<StreamDigest> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    size += chunk.byteLength;
  }
  return { size, sha256: hash.digest("hex") };
}

/** Tells whether the value is a SHA-256 as hotplug writes it: 64 lower-case hex digits. */
export function isSha256(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}
