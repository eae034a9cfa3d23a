import { type Command, InvalidArgumentError, Option } from "commander";
import type { PermissionKind, Permissions } from "../artifact/mod.ts";
import type { BuildOptions, DefineValue } from "../builder/mod.ts";
import { collect, targetArgument, textArgument } from "./argument.ts";
import { collectEnv } from "./collect_env.ts";

/** The flags of `hotplug build` that say what for, with what and how. */
export interface TargetFlags {
  readonly target?: readonly string[];
  readonly mode?: "module" | "executable";
  readonly define?: Readonly<Record<string, DefineValue>>;
  readonly minify: boolean;
  readonly sourcemap: boolean;
  readonly deno?: string;
  readonly denoVersion?: string;
  readonly denortMirror?: string;
  readonly cacheDir?: string;
  readonly buildArg?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly allowEnv?: readonly string[] | true;
  readonly allowFfi?: readonly string[] | true;
  readonly allowNet?: readonly string[] | true;
  readonly allowRead?: readonly string[] | true;
  readonly allowRun?: readonly string[] | true;
  readonly allowSys?: readonly string[] | true;
  readonly allowWrite?: readonly string[] | true;
}

/** What each permission lists. `--allow-import` is the build's own flag: what it may import. */
const PERMISSIONS = {
  env: ["allowEnv", "NAMES", "read environment variables"],
  ffi: ["allowFfi", "PATHS", "load native libraries"],
  net: ["allowNet", "HOSTS", "reach the network"],
  read: ["allowRead", "PATHS", "read files"],
  run: ["allowRun", "PROGRAMS", "start programs"],
  sys: ["allowSys", "APIS", "ask about the system"],
  write: ["allowWrite", "PATHS", "write files"],
} as const satisfies Partial<Record<PermissionKind, readonly [keyof TargetFlags, string, string]>>;

/** Adds the flags to the command. */
export function addTargetFlags(command: Command): Command {
  command
    .option(
      "-t, --target <TARGET>",
      "a platform, as linux/amd64, or all, or host; repeat for more " +
        "(default: any; host for an executable)",
      collect(wordArgument),
    )
    .addOption(
      new Option("--mode <MODE>", "what to build (default: module)")
        .choices(["module", "executable"]),
    )
    .option(
      "--define <NAME=TEXT>",
      "a constant in the place of the global NAME; NAME:=JSON for other than text; repeat for more",
      collectDefines,
    )
    .option("--no-minify", "leave in what only people read")
    .option("--no-sourcemap", "make no source map")
    .option("--deno <PATH>", "the Deno that builds (default: this one)", textArgument)
    .option(
      "--deno-version <VERSION>",
      "build with and for this Deno, fetched from npm if need be",
      textArgument,
    )
    .option(
      "--denort-mirror <URL_OR_DIR>",
      "where the bases of executables come from (default: Deno's own)",
      textArgument,
    )
    .option(
      "--cache-dir <DIR>",
      "where other Denos and bases are kept (default: in the user's cache folder)",
      textArgument,
    )
    .option(
      "--build-arg <ARG>",
      "pass on to deno, as --build-arg=--conditions=worker; repeat",
      collect(textArgument),
    )
    .option("--env <NAME=VALUE>", "a variable for the build alone; repeat for more", collectEnv);
  for (const [kind, [, list, what]] of Object.entries(PERMISSIONS)) {
    command.option(
      `--allow-${kind} [${list}]`,
      `the plugin asks for it: to ${what}`,
      collectPermission,
    );
  }
  return command;
}

/** What the flags mean to a build. */
export function targetOptions(flags: TargetFlags): Partial<BuildOptions> {
  const { target: targets, mode, define, minify, sourcemap, env } = flags;
  const { deno, denoVersion, denortMirror, cacheDir } = flags;
  const permissions = permissionsOf(flags);
  const options = { targets, mode, define, deno, denoVersion, denortMirror, cacheDir, env };
  return {
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    // Not said is as it is by default, or as the artifact to verify has it.
    ...(minify ? {} : { minify }),
    ...(sourcemap ? {} : { sourcemap }),
    ...(flags.buildArg && { buildArgs: flags.buildArg }),
    ...(permissions && { permissions }),
  };
}

function permissionsOf(flags: TargetFlags): Permissions | undefined {
  const asked = Object.entries(PERMISSIONS).flatMap(([kind, [flag]]) =>
    flags[flag] === undefined ? [] : [[kind, flags[flag]] as const]
  );
  return asked.length === 0 ? undefined : Object.fromEntries(asked);
}

function wordArgument(text: string): string {
  const word = text.trim().toLowerCase();
  return word === "all" || word === "host" ? word : targetArgument(text);
}

/** A flag without a value allows all of its kind, whatever else is listed. */
function collectPermission(
  text: string | true,
  before: readonly string[] | true = [],
): readonly string[] | true {
  if (text === true || before === true) return true;
  const listed = text.split(",");
  if (listed.includes("")) throw new InvalidArgumentError("It lists an empty text.");
  return [...before, ...listed];
}

function collectDefines(
  text: string,
  before: Readonly<Record<string, DefineValue>> = {},
): Readonly<Record<string, DefineValue>> {
  const [, name, sign, value = ""] = /^([^=:]+)(:?=)([\s\S]*)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError("Give NAME=TEXT, or NAME:=JSON.");
  return { ...before, [name]: sign === "=" ? value : readJson(value) };
}

function readJson(text: string): DefineValue {
  try {
    return JSON.parse(text) as DefineValue;
  } catch {
    throw new InvalidArgumentError("What follows := is no JSON; use = for a text.");
  }
}
