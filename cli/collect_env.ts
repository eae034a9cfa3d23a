import { InvalidArgumentError } from "commander";

/** For `NAME=VALUE`, which may be repeated. */
export function collectEnv(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  if (at > 0) return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
  throw new InvalidArgumentError("Give NAME=VALUE.");
}
