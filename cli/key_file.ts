import { parseSigningKey, type SigningKey } from "../artifact/mod.ts";
import { inFile } from "../daemon/config/key_files.ts";
import type { Io } from "./io.ts";
import { printable } from "./printable.ts";

/** Reads the private key to sign with; says so where others may read it too. */
export async function readSigningKey(path: string, io: Io): Promise<SigningKey> {
  const key = await inFile(path, parseSigningKey);
  if (Deno.build.os === "windows") return key;
  const { mode, isFile } = await Deno.stat(path);
  if (isFile && mode !== null && (mode & 0o077) !== 0) {
    io.stderr(
      `warning: others than you may read the private key ${printable(path)}; chmod 600 it\n`,
    );
  }
  return key;
}
