import { createHash, timingSafeEqual } from "node:crypto";

/** Tells whether two secrets are the same, in a time that does not tell how far they agree. */
export function sameSecret(given: string, secret: string): boolean {
  // Of digests, since only what is of one length can be compared in one time.
  return timingSafeEqual(digest(given), digest(secret));
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
