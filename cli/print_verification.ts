import { basename } from "@std/path";
import { formatTarget, HotplugError, targetOf } from "../artifact/mod.ts";
import type { VerifyResult } from "../builder/mod.ts";
import type { Io } from "./io.ts";
import { printable } from "./printable.ts";

/** Prints what came of verifying an artifact: as JSON, or for people. */
export function printVerification(
  path: string,
  result: VerifyResult,
  json: boolean,
  io: Io,
): void {
  const { same, sameSource, differences, info } = result;
  if (json) {
    const line = { type: "verified", path, same, sameSource, differences, name: info.name };
    return io.stdout(`${JSON.stringify({ ...line, scn: info.scn })}\n`);
  }
  if (!same) return; // the error says it
  const paint = (text: string) => io.isTerminal ? `\x1b[32m${text}\x1b[0m` : text;
  const { name, scn, runtime, content } = info;
  const source = sameSource ? "" : "; the source differs in what is no part of it";
  io.stdout(
    `${paint("same")} ${name} ${scn} ${formatTarget(targetOf(runtime))}, ` +
      `Deno ${runtime.version}, content ${content.sha256.slice(0, 12)}${source}\n`,
  );
}

/** The error for an artifact that its source does not build. */
export function failedVerification(path: string, { differences }: VerifyResult): HotplugError {
  const lines = differences.map(({ field, artifact, rebuilt }) =>
    `  ${field}: ${textOf(artifact)} in the artifact, ${textOf(rebuilt)} rebuilt`
  );
  return new HotplugError(
    "integrity",
    `Not the same: the source does not build ${JSON.stringify(basename(path))}; give the options ` +
      `that it was built with, if there were others\n${printable(lines.join("\n"))}`,
  );
}

function textOf(value: unknown): string {
  if (value === undefined) return "nothing";
  return typeof value === "string" ? value : JSON.stringify(value);
}
