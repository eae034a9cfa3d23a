import { formatTarget } from "../artifact/mod.ts";
import {
  type BuildResult,
  type BuiltArtifact,
  formatBytes,
  type TargetFailure,
} from "../builder/mod.ts";
import type { Io } from "./io.ts";

/** Prints what a build made, and which of its targets failed: as JSON, or for people. */
export function printBuild(
  result: BuildResult | undefined,
  failures: readonly TargetFailure[],
  json: boolean,
  io: Io,
): void {
  // For people the failures are what the error says.
  if (!json) return void (result && io.stdout(textOf(result, io.isTerminal)));
  for (const artifact of result?.artifacts ?? []) {
    io.stdout(`${JSON.stringify(lineOf(result as BuildResult, artifact))}\n`);
  }
  for (const { target, error: { code, message } } of failures) {
    const line = { type: "failed", target: formatTarget(target), code, message };
    io.stdout(`${JSON.stringify(line)}\n`);
  }
}

function lineOf(result: BuildResult, artifact: BuiltArtifact): Record<string, unknown> {
  const { path, infoPath, sourceMapPath, target, size, sha256, content, info } = artifact;
  const signedBy = info.attestation?.signatures.map(({ keyid }) => keyid);
  return {
    type: "built",
    name: result.name,
    scn: result.scn,
    target: formatTarget(target),
    path,
    infoPath,
    sourceMapPath,
    size,
    sha256,
    content,
    signedBy,
    durationMs: Math.round(result.durationMs),
  };
}

function textOf(result: BuildResult, colour: boolean): string {
  const paint = (code: number, text: string) => colour ? `\x1b[${code}m${text}\x1b[0m` : text;
  const seconds = (result.durationMs / 1000).toFixed(2);
  const rows = result.artifacts.map(({ target, size, sha256, path }) =>
    [formatTarget(target), formatBytes(size), sha256.slice(0, 12), path] as const
  );
  const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length));
  const [first, second] = [width(0), width(1)];
  const lines = rows.map(([target, size, digest, path]) =>
    `  ${target.padEnd(first)}  ${size.padStart(second)}  ${paint(2, digest)}  ${path}\n`
  );
  return `${paint(32, "built")} ${paint(1, result.name)} ${result.scn} in ${seconds} s\n` +
    lines.join("");
}
