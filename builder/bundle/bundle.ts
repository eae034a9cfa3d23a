import { readFile } from "node:fs/promises";
import { join, toFileUrl } from "@std/path";
import { HotplugError, SOURCE_MAP_LINK } from "../../artifact/mod.ts";
import { errnoOf } from "../files/fs_error.ts";
import { quote } from "../quote.ts";
import { alignLines } from "./align_lines.ts";
import { alignSourceMap } from "./align_source_map.ts";
import type { BuildArgs } from "../build_args.ts";
import { throwIfCancelled } from "../cancel.ts";
import { childEnv } from "../child_env.ts";
import { checkGraph } from "./graph.ts";
import type { ImportHosts } from "./import_hosts.ts";
import { checkInlinedBytes } from "./inlined_bytes.ts";
import { logged } from "../logged.ts";
import type { BuildLogger } from "../logger.ts";
import { lockWouldChange } from "../project/lock_file.ts";
import { mendRequireShim } from "./require_shim.ts";
import { type CommandRunner, runCommand } from "../run_command.ts";
import { outsideOfSource, relativeSourceMap } from "./source_map.ts";
import { sparesOptional } from "../toolchain/toolchain_versions.ts";

/** One self-contained module and its source map. */
export interface Bundle {
  /** The module's source. */
  readonly code: string;
  /** The source map, as JSON; its sources are relative to the plugin. */
  readonly map: string;
}

/** What {@linkcode bundle} needs. */
export interface BundleRequest {
  /** The Deno that bundles. */
  readonly deno: string;
  /** Its version, as `2.9.5`. */
  readonly version: string;
  /** The work folder: the source lies in its `src`, the result comes into its `out`. */
  readonly workFolder: string;
  /** The entry, relative to the source. */
  readonly entry: string;
  /** The configuration file, relative to the source. */
  readonly config: string;
  /** Whether to check types first. */
  readonly check: boolean;
  /** The hosts that may be imported from. */
  readonly hosts: ImportHosts;
  /** Whether a lock file that would change fails the build. */
  readonly frozen: boolean;
  /** Whether to leave out what only people read. */
  readonly minify: boolean;
  /** Names that may be missing. */
  readonly optional: readonly string[];
  /** Further arguments for Deno. */
  readonly buildArgs: BuildArgs;
  /** Further variables for the child process. */
  readonly env: Readonly<Record<string, string>>;
  /** Told of what is run. */
  readonly logger: BuildLogger;
  /** Stops it. */
  readonly signal?: AbortSignal | undefined;
}

/** The folder of a work folder that the source is unpacked into. */
export const SOURCE_FOLDER = "src";

// The link to the map is part of the bytes: a name that never changes keeps the digest the same.
const OUTPUT = "plugin.mjs";

/**
 * What Deno says where two of it bring esbuild into one cache at the same time, and one finds the
 * other's half way. Both have it a moment later.
 */
const ESBUILD_RACE = /failed to copy esbuild binary|Text file busy/;
const ESBUILD_TRIES = 4;
/** Between two tries, in milliseconds. */
const ESBUILD_PAUSE = 150;

/**
 * Bundles a module with all that it imports, in a child process, once it is known that nothing is
 * imported from outside of the source.
 *
 * @throws {HotplugError} With code `check` for type errors, `imports` for what lies outside, `lock`
 * for a lock file that would change, `bundle` for whatever else the bundler finds, `cancelled` if
 * the signal is aborted.
 */
export async function bundle(
  request: BundleRequest,
  run: CommandRunner = runCommand,
): Promise<Bundle> {
  const { deno, workFolder, entry, check, signal } = request;
  throwIfCancelled(signal);
  const cwd = join(workFolder, SOURCE_FOLDER);
  const env = childEnv(request.env);
  const flags = resolutionFlags(request, "bundle");
  const runner = logged(run, request.logger);
  const step = async (args: readonly string[], triesLeft = ESBUILD_TRIES): Promise<string> => {
    const { code, stdout, stderr } = await start(runner, { program: deno, args, cwd, env }, signal);
    throwIfCancelled(signal);
    if (code === 0) return stdout;
    if (triesLeft <= 1 || !ESBUILD_RACE.test(stderr)) throw failure(stderr, cwd, entry);
    await new Promise((resolve) => setTimeout(resolve, ESBUILD_PAUSE));
    throwIfCancelled(signal);
    return await step(args, triesLeft - 1);
  };
  // A path that begins with a dash, or looks like a URL, is still a path with a dot before it.
  const told = resolutionFlags(request, "graph");
  const graph = await step(["info", "--json", "--quiet", ...told, `./${entry}`]);
  await checkGraph(graph, cwd, request.hosts);
  // Side by side, and not by `bundle --check`: that takes a third longer than the two together.
  const [checked, bundled] = await Promise.allSettled([
    check ? step(["check", "--quiet", ...flags, `./${entry}`]) : undefined,
    step(["bundle", ...bundleFlags(request, flags), `./${entry}`]),
  ]);
  // The check knows more of what is wrong than the bundler.
  for (const outcome of [checked, bundled]) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
  const align = request.minify ? alignSourceMap : alignLines;
  const made = await readOutput(join(workFolder, "out"), align);
  await checkInlinedBytes(made.code, cwd);
  return made;
}

/** How the bundle is written; the path of the entry comes after. */
function bundleFlags(request: BundleRequest, resolution: readonly string[]): string[] {
  return [
    "--quiet",
    ...resolution,
    // Older bundlers fail at what is missing, wanted or not.
    ...(sparesOptional(request.version)
      ? []
      : request.optional.map((name) => `--external=${name}`)),
    // Names of functions are lost: --keep-names wraps every closure at the moment it is made, which
    // is up to 60 times slower in a loop, and keeps Deno from mending `require` (see there).
    ...(request.minify ? ["--minify"] : []),
    "--sourcemap=linked",
    `--output=../out/${OUTPUT}`,
  ];
}

/** What decides which module an import leads to. */
function resolutionFlags(
  { config, hosts, frozen, buildArgs }: BundleRequest,
  step: "graph" | "bundle",
): string[] {
  return [
    ...buildArgs[step],
    `--config=${config}`,
    hosts.flag,
    ...(frozen ? ["--frozen"] : []),
    // From the global cache, the paths of packages would depend on where that lies.
    "--node-modules-dir=auto",
  ];
}

async function start(
  run: CommandRunner,
  command: Parameters<CommandRunner>[0],
  signal: AbortSignal | undefined,
): ReturnType<CommandRunner> {
  try {
    return await run(command, signal);
  } catch (cause) {
    const why = errnoOf(cause) === "ENOENT" ? "there is no such program" : "it does not start";
    throw new HotplugError(
      "bundle",
      `Cannot bundle with ${quote(command.program)}: ${why}; name a Deno 2.4 or newer`,
      { cause },
    );
  }
}

async function readOutput(
  folder: string,
  align: (code: string, map: string) => string,
): Promise<Bundle> {
  const code = await readFile(join(folder, OUTPUT), "utf8");
  const map = await readFile(join(folder, `${OUTPUT}.map`), "utf8");
  const mended = mendRequireShim({ code, map: align(code, map) });
  if (!mended.code.trimEnd().endsWith(SOURCE_MAP_LINK)) {
    throw new HotplugError(
      "bundle",
      `Cannot use the bundle: it does not end with ${quote(SOURCE_MAP_LINK)}; ` +
        `this Deno bundles in another way, use 2.9`,
    );
  }
  return { code: mended.code, map: relativeSourceMap(mended.map, `../${SOURCE_FOLDER}/`) };
}

function failure(stderr: string, cwd: string, entry: string): HotplugError {
  const text = withoutPaths(stderr, cwd);
  const [, outside] = /\bfile:\/\/\S*\/([^/\s]+)/.exec(text) ?? [];
  // Told without what the bundler says of it: that quotes the file.
  if (outside !== undefined) return outsideOfSource(outside.replace(/:\d+:\d+$/, ""));
  if (/^error: Type checking failed/m.test(text)) {
    const findings = text.replace(/^error: Type checking failed[\s\S]*/m, "").trim();
    return new HotplugError(
      "check",
      `Cannot build ${quote(entry)}: type errors; mend them, or skip the check with --no-check\n` +
        findings,
    );
  }
  if (text.includes("lockfile is out of date")) return lockWouldChange(text);
  const findings = text.replace(/^error: bundling failed\s*$/m, "").trim();
  return new HotplugError("bundle", `Cannot bundle ${quote(entry)}:\n${findings}`);
}

function withoutPaths(stderr: string, cwd: string): string {
  // deno-lint-ignore no-control-regex
  return stderr.replace(/\x1b\[[0-9;]*m/g, "")
    .replaceAll(`${toFileUrl(cwd).href}/`, "")
    .replaceAll(`${cwd}/`, "")
    .replaceAll(`${cwd}\\`, "");
}
