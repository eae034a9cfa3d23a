import { HotplugError, parsePublicKeys, type PublicKey } from "../../artifact/mod.ts";
import { readInput } from "./read_input.ts";

/** Far more than keys take: a wrong file is not read whole. */
const MAX_BYTES = 1024 * 1024;

/** Reads the public keys in the files: each may hold several. */
export async function readPublicKeys(paths: readonly string[]): Promise<PublicKey[]> {
  const keys = await Promise.all(paths.map((path) => inFile(path, parsePublicKeys)));
  return parsePublicKeys(keys.flat());
}

/** Reads what is in the file; what is wrong with it is said with its name. */
export async function inFile<T>(path: string, parse: (text: string) => T): Promise<T> {
  try {
    return parse(await readInput(path, MAX_BYTES));
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    const why = cause.message.replace(/^Cannot use the key: /, "");
    throw new HotplugError("key", `Cannot use the key in "${path}": ${why}`, { cause });
  }
}
