import {
  HotplugError,
  parsePublicKeys,
  parseSigningKey,
  type PublicKey,
  type SigningKey,
} from "../artifact/mod.ts";
import type { Io } from "./io.ts";
import { printable } from "./printable.ts";

/** Far more than keys take: a wrong file is not read whole. */
const MAX_BYTES = 1024 * 1024;

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

/** Reads the public keys in the files: each may hold several. */
export async function readPublicKeys(paths: readonly string[]): Promise<PublicKey[]> {
  const keys = await Promise.all(paths.map((path) => inFile(path, parsePublicKeys)));
  return parsePublicKeys(keys.flat());
}

/** Reads what is in the file; what is wrong with it is said with its name. */
async function inFile<T>(path: string, parse: (text: string) => T): Promise<T> {
  try {
    return parse(await readText(path));
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    const why = cause.message.replace(/^Cannot use the key: /, "");
    throw new HotplugError("key", `Cannot use the key in "${path}": ${why}`, { cause });
  }
}

/** A pipe too, as `<(pass show key)` makes one: its size is not known before. */
async function readText(path: string): Promise<string> {
  using file = await Deno.open(path);
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of file.readable) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
  }
  return text;
}
