import { HotplugError } from "../artifact/mod.ts";
import { readInput } from "../daemon/config/read_input.ts";

/** Far more than a token takes: a wrong file is not read whole. */
const MAX_BYTES = 64 * 1024;

/**
 * Reads the token in a file, without the line break at its end.
 *
 * @throws {HotplugError} With code `options`, if the file can't be read, is empty, or holds what is no
 * token.
 */
export async function readToken(file: string): Promise<string> {
  const text = await readInput(file, MAX_BYTES).catch((cause: Error) => {
    throw new HotplugError(
      "options",
      `Cannot read the token in ${JSON.stringify(file)}: ${cause.message}`,
      { cause },
    );
  });
  const token = text.trim();
  // No header takes anything else.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new HotplugError(
    "options",
    `Cannot read the token in ${JSON.stringify(file)}: ${
      token === "" ? "the file is empty" : "it holds more than one word of ASCII"
    }; write a token of 16 characters or more into it`,
  );
}
