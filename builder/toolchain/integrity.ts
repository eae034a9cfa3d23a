import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** Strongest first; what is weaker than these proves nothing. */
const ALGORITHMS = ["sha512", "sha384", "sha256"] as const;

/**
 * Tells what is the matter with a file's integrity, as a packument states it; nothing if it is as
 * stated by the strongest of the digests.
 */
export async function integrityFault(
  file: string,
  integrity: string,
): Promise<string | undefined> {
  const stated = integrity.split(/\s+/).map((each) => each.split("?")[0] ?? "");
  for (const algorithm of ALGORITHMS) {
    const digests = stated.filter((each) => each.startsWith(`${algorithm}-`));
    if (digests.length === 0) continue;
    const digest = `${algorithm}-${await hashFile(file, algorithm, "base64")}`;
    return digests.includes(digest) ? undefined : `its integrity is ${digest}, not ${integrity}`;
  }
  return "its integrity is not stated as SHA-512, SHA-384 or SHA-256";
}

/** Hashes a file of any size, piece by piece. */
export async function hashFile(
  file: string,
  algorithm: string,
  encoding: "hex" | "base64",
): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest(encoding);
}
