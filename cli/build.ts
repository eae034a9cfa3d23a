import { Command, Option } from "commander";
import {
  build,
  type BuildOptions,
  TargetsFailedError,
  verifyBuild,
  type VerifyOptions,
} from "../builder/mod.ts";
import type { Scn } from "../artifact/mod.ts";
import { collect, nameArgument, numberArgument, scnArgument, textArgument } from "./argument.ts";
import { addTargetFlags, type TargetFlags, targetOptions } from "./build_flags.ts";
import { followBuild, type FollowFlags } from "./follow_build.ts";
import type { Io } from "./io.ts";
import { readSigningKey } from "./key_file.ts";
import { printBuild } from "./print_build.ts";
import { failedVerification, printVerification } from "./print_verification.ts";
import { readToken } from "./read_token.ts";
import { addSourceFlags, type SourceFlags, sourceOptions } from "./source_flags.ts";

interface Flags extends SourceFlags, TargetFlags, FollowFlags {
  readonly dest?: string;
  readonly verify?: string;
  readonly name?: string;
  readonly main?: string;
  readonly gzip?: true;
  readonly check: boolean;
  readonly optional?: readonly string[];
  readonly contract?: string;
  readonly scn?: Scn;
  readonly sign?: string;
  readonly futureTolerance?: number;
  readonly mode?: "module" | "executable";
  readonly remote?: string;
  readonly tokenFile?: string;
}

const EXAMPLES = `
Examples:
  hotplug build ./pricing --dest ./plugins
  hotplug build pricing.zip --dest ./plugins --gzip
  hotplug build ./pricing --dest ./plugins --target linux/amd64 --target darwin/arm64
  hotplug build ./pricing --dest ./bin --mode executable --target all --allow-net
  hotplug build ./pricing --dest ./plugins --sign release.key
  hotplug build tax.ts --dest ./plugins --name vat --json
  hotplug build npm:semver@7.7.2 --dest ./plugins
  hotplug build ./pricing --dest ./plugins --dep @acme/tax=../tax.tar.gz
  hotplug build ./pricing --dest ./plugins --remote http://builder.example.com:8089
  hotplug build --verify ./plugins/pricing_20261123014512_2_9_5_any_any.mjs ./pricing

The same source gives the same bytes. What lies in DIR is never overwritten.
How far a build is goes to standard error, what it made to standard output.
`;

/** What an artifact says of itself, or what makes no sense of one that is there. */
const NOT_TO_VERIFY = [
  ..."dest scn sign futureTolerance name mode target gzip denoVersion".split(" "),
];

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
    .option(
      "-d, --dest <DIR>",
      "the directory to publish into; made if it is not there",
      textArgument,
    )
    .addOption(
      new Option(
        "--verify <ARTIFACT>",
        "publish nothing: build SOURCE as ARTIFACT was built, and tell whether it is the same",
      ).argParser(textArgument).conflicts(NOT_TO_VERIFY),
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
  return addOutputFlags(addTargetFlags(addSourceFlags(command)))
    .addHelpText("after", EXAMPLES)
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .action((source: string, flags: Flags, command: Command) => run(source, flags, command, io));
}

function addOutputFlags(command: Command): Command {
  return command
    .option("--contract <NAME>", "what a host must declare to load it, as pricing/2", textArgument)
    .option("--scn <SCN>", "the SCN, 14 digits in UTC (default: now)", scnArgument)
    .option(
      "--future-tolerance <MS>",
      "how far ahead of now an SCN may lie (default: 600000)",
      numberArgument,
    )
    .option("--sign <KEYFILE>", "sign with this private key; see hotplug keygen", textArgument)
    .option(
      "--remote <URL>",
      "build at this service (hotplug builder), and publish here",
      textArgument,
    )
    .option("--token-file <FILE>", "a file with the token that the service asks for", textArgument)
    .option("-q, --quiet", "don't tell how far the build is")
    .option("-v, --verbose", "tell of each program that is run, too")
    .option("--json", "print one JSON object a line for each artifact, and nothing else");
}

async function run(source: string, flags: Flags, command: Command, io: Io): Promise<void> {
  const options = { ...commonOptions(flags, io), ...await remoteOptions(flags), source };
  if (flags.verify !== undefined) {
    return await verify({ ...options, artifact: flags.verify }, flags, io);
  }
  const { dest, name, gzip, scn, futureTolerance, json = false } = flags;
  if (dest === undefined) command.error("error: required option '-d, --dest <DIR>' not specified");
  const sign = flags.sign === undefined ? undefined : await readSigningKey(flags.sign, io);
  try {
    const result = await followBuild(flags, io, (following) =>
      build({
        ...options,
        ...given({ name, gzip, scn, futureTolerance, sign }),
        ...following,
        dest,
      }));
    printBuild(result, [], json, io);
  } catch (error) {
    if (error instanceof TargetsFailedError) printBuild(error.result, error.failures, json, io);
    throw error;
  }
}

async function verify(options: VerifyOptions, flags: Flags, io: Io): Promise<void> {
  const result = await followBuild(
    flags,
    io,
    (following) => verifyBuild({ ...options, ...following }),
  );
  printVerification(options.artifact, result, flags.json ?? false, io);
  if (!result.same) throw failedVerification(options.artifact, result);
}

function commonOptions(flags: Flags, io: Io): Partial<BuildOptions> {
  const { main, check, optional, contract } = flags;
  return {
    ...given({ main, check, optional, contract, signal: io.signal }),
    ...sourceOptions(flags),
    ...targetOptions(flags),
  };
}

async function remoteOptions({ remote, tokenFile }: Flags): Promise<Partial<BuildOptions>> {
  if (remote === undefined) return {};
  if (tokenFile === undefined) return { remote };
  return { remote: { url: remote, token: await readToken(tokenFile) } };
}

/** Without what was not given. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
