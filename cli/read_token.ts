import { readFile } from "node:fs/promises";
import { HotplugError } from "../artifact/mod.ts";

/**
 * Reads the token in a file, without the line break at its end.
 *
 * @throws {HotplugError} With code `options`, if the file can't be read or is empty.
 */
export async function readToken(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((cause: Error) => {
    throw new HotplugError(
      "options",
      `Cannot read the token in ${JSON.stringify(file)}: ${cause.message}`,
      { cause },
    );
  });
  const token = text.trim();
  if (token !== "") return token;
  throw new HotplugError(
    "options",
    `Cannot read the token in ${JSON.stringify(file)}: the file is empty; write one of 16 ` +
      `characters or more into it`,
  );
}
