import { Command } from "commander";
import {
  build,
  type BuildResult,
  type BuiltArtifact,
  type TargetFailure,
  TargetsFailedError,
} from "../builder/mod.ts";
import { formatTarget, type Scn } from "../artifact/mod.ts";
import { collect, nameArgument, scnArgument, textArgument } from "./argument.ts";
import { addTargetFlags, type TargetFlags, targetOptions } from "./build_flags.ts";
import type { Io } from "./io.ts";
import { addSourceFlags, type SourceFlags, sourceOptions } from "./source_flags.ts";

interface Flags extends SourceFlags, TargetFlags {
  readonly dest: string;
  readonly name?: string;
  readonly main?: string;
  readonly gzip?: true;
  readonly check: boolean;
  readonly optional?: readonly string[];
  readonly scn?: Scn;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  hotplug build ./pricing --dest ./plugins
  hotplug build pricing.zip --dest ./plugins --gzip
  hotplug build ./pricing --dest ./plugins --target linux/amd64 --target darwin/arm64
  hotplug build ./pricing --dest ./bin --mode executable --target all --allow-net
  hotplug build tax.ts --dest ./plugins --name vat --json
  hotplug build npm:semver@7.7.2 --dest ./plugins
  hotplug build ./pricing --dest ./plugins --dep @acme/tax=../tax.tar.gz

The same source gives the same bytes. What lies in DIR is never overwritten.
`;

/** The subcommand `hotplug build`: from a source to artifacts in a directory. */
export function buildCommand(io: Io): Command {
  const command = new Command("build")
    .summary("build a plugin and publish it into a directory")
    .description(
      "Bundle a plugin into one module, or compile it into an executable, stamp it with " +
        "an SCN and publish it.",
    )
    .argument(
      "<SOURCE>",
      "a directory, a .zip, .tar or .tar.gz, one .ts or .js file, a URL of one, or npm:NAME@VERSION",
      textArgument,
    )
    .requiredOption(
      "-d, --dest <DIR>",
      "the directory to publish into; made if it is not there",
      textArgument,
    )
    .option(
      "-n, --name <NAME>",
      "the plugin's name (default: that in its deno.json, else its file's)",
      nameArgument,
    )
    .option(
      "-m, --main <FILE>",
      `the entry, relative to SOURCE (default: "exports" of its deno.json, mod.ts, main.ts, index.ts)`,
      textArgument,
    )
    .option("--gzip", "compress the artifact")
    .option("--no-check", "don't check types")
    .option(
      "--optional <NAME>",
      "an import that may be missing when the plugin runs; repeat for more",
      collect(textArgument),
    );
  return addTargetFlags(addSourceFlags(command))
    .option("--scn <SCN>", "the SCN, 14 digits in UTC (default: now)", scnArgument)
    .option("--json", "print one JSON object a line for each artifact, and nothing else")
    .addHelpText("after", EXAMPLES)
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .action((source: string, flags: Flags) => run(source, flags, io));
}

async function run(source: string, flags: Flags, io: Io): Promise<void> {
  const { dest, name, main, gzip, check, optional, scn } = flags;
  try {
    const result = await build({
      ...given({ name, main, gzip, check, optional, scn, signal: io.signal }),
      ...sourceOptions(flags),
      ...targetOptions(flags),
      source,
      dest,
    });
    print(result, [], flags, io);
  } catch (error) {
    if (error instanceof TargetsFailedError) print(error.result, error.failures, flags, io);
    throw error;
  }
}

/** Without what was not given. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function print(
  result: BuildResult | undefined,
  failures: readonly TargetFailure[],
  { json }: Flags,
  io: Io,
): void {
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
  const { path, infoPath, sourceMapPath, target, size, sha256, content } = artifact;
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
    durationMs: Math.round(result.durationMs),
  };
}

function textOf(result: BuildResult, colour: boolean): string {
  const paint = (code: number, text: string) => colour ? `\x1b[${code}m${text}\x1b[0m` : text;
  const seconds = (result.durationMs / 1000).toFixed(2);
  const rows = result.artifacts.map(({ target, size, sha256, path }) =>
    [formatTarget(target), sizeText(size), sha256.slice(0, 12), path] as const
  );
  const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length));
  const [first, second] = [width(0), width(1)];
  const lines = rows.map(([target, size, digest, path]) =>
    `  ${target.padEnd(first)}  ${size.padStart(second)}  ${paint(2, digest)}  ${path}\n`
  );
  return `${paint(32, "built")} ${paint(1, result.name)} ${result.scn} in ${seconds} s\n` +
    lines.join("");
}

function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
