import { copyFile, link, mkdir, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "@std/path";
import { denoTriple, formatTarget, HotplugError, type Target } from "../artifact/mod.ts";
import { EXECUTABLE_ENTRY, executableFiles } from "../plugin/mod.ts";
import { throwIfCancelled } from "./cancel.ts";
import { childEnv } from "./child_env.ts";
import { basePath, findBase } from "./toolchain/denort.ts";
import { gzipFile } from "./gzip.ts";
import { hashFile } from "./toolchain/integrity.ts";
import type { BuildConfig } from "./build_config.ts";
import { logged } from "./logged.ts";
import { permissionFlags } from "./permission_flags.ts";
import { type CommandRunner, runCommand } from "./run_command.ts";
import type { Toolchain } from "./toolchain/toolchain.ts";

/** What {@linkcode compile} needs. */
export interface CompileRequest {
  /** The options of the build. */
  readonly config: BuildConfig;
  /** The Deno that compiles. */
  readonly toolchain: Toolchain;
  /** The plugin's name. */
  readonly name: string;
  /** The finished module. */
  readonly code: string;
  /** What the executable is for. */
  readonly target: Target;
  /** The work folder of the build. */
  readonly workFolder: string;
}

/** A compiled executable in the work folder, compressed if that was asked for. */
export interface CompiledFile {
  /** Its path. */
  readonly path: string;
  /** Its size in bytes. */
  readonly size: number;
  /** The SHA-256 of it, as 64 lower-case hex digits. */
  readonly sha256: string;
}

// Deno writes the time of a file into the program: with one that never changes, so do its bytes not.
const ENTRY_TIME = new Date("2000-01-01T00:00:00Z");

/**
 * Compiles a module into an executable, in a child process.
 *
 * @throws {HotplugError} With code `compile`, if there is no base for the target or the compiler
 * fails; `cancelled` if the signal is aborted.
 */
export async function compile(
  request: CompileRequest,
  run: CommandRunner = runCommand,
): Promise<CompiledFile> {
  const { config, name, code, target, workFolder } = request;
  const { signal } = config;
  throwIfCancelled(signal);
  const folder = join(workFolder, "exe", `${target.os}-${target.arch}`);
  await mkdir(folder, { recursive: true });
  await writeFiles(folder, executableFiles(code));
  // Named like the plugin: where a program keeps its data goes by the name it was compiled under.
  const output = join(folder, "bin", target.os === "windows" ? `${name}.exe` : name);
  const env = childEnv({ ...config.env, ...await baseEnv(request) });
  const runner = logged(run, config.logger);
  const outcome = await start(runner, request, { args: argsOf(request, output), cwd: folder, env });
  throwIfCancelled(signal);
  if (outcome.code !== 0) throw failure(request, outcome.stderr);
  return await finish(output, config.gzip);
}

async function writeFiles(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, text] of files) {
    const path = join(folder, name);
    await writeFile(path, text, { flag: "wx" });
    await utimes(path, ENTRY_TIME, ENTRY_TIME);
  }
}

const NO_CODE_CACHE = "--no-code-cache";

function argsOf({ config, target }: CompileRequest, output: string): string[] {
  return [
    "compile",
    "--quiet",
    "--no-check",
    "--no-config",
    "--no-lock",
    "--no-remote",
    // What it may do was said when it was built: nobody is asked when it runs.
    "--no-prompt",
    // It would leave a file in the temporary folder of every machine that it runs on.
    NO_CODE_CACHE,
    ...permissionFlags(config.permissions),
    ...config.buildArgs.compile.filter((each) => each !== NO_CODE_CACHE),
    `--target=${denoTriple(target)}`,
    `--output=${output}`,
    EXECUTABLE_ENTRY,
  ];
}

/** With a mirror, Deno gets a cache folder of its own, in which it finds the base. */
async function baseEnv(request: CompileRequest): Promise<Record<string, string>> {
  const { config, toolchain: { version }, target, workFolder } = request;
  const { denortMirror: mirror } = config;
  if (mirror === undefined) return {};
  const base = await findBase({ ...config, mirror, version, target });
  const cache = join(workFolder, "exe", "deno");
  const place = join(cache, "dl", basePath(version, target));
  await mkdir(dirname(place), { recursive: true });
  await link(base, place).catch(() => copyFile(base, place)); // another disk, or no links there
  return { DENO_DIR: cache };
}

async function start(
  run: CommandRunner,
  { toolchain, target, config }: CompileRequest,
  command: Omit<Parameters<CommandRunner>[0], "program">,
): ReturnType<CommandRunner> {
  try {
    return await run({ ...command, program: toolchain.deno }, config.signal);
  } catch (cause) {
    throw new HotplugError(
      "compile",
      `Cannot compile for ${formatTarget(target)}: Deno does not start: ${
        (cause as Error).message
      }; check its path`,
      { cause },
    );
  }
}

async function finish(output: string, packed: boolean): Promise<CompiledFile> {
  const path = packed ? `${output}.gz` : output;
  if (packed) await gzipFile(output, path);
  return { path, size: (await stat(path)).size, sha256: await hashFile(path, "sha256", "hex") };
}

function failure({ target, toolchain }: CompileRequest, stderr: string): HotplugError {
  const where = formatTarget(target);
  if (/invalid value .* for '--target/.test(stderr)) {
    return new HotplugError(
      "compile",
      `Cannot compile for ${where}: Deno ${toolchain.version} can't; build with a newer one`,
    );
  }
  const [download] = /https?:\/\/\S*denort\S*\.zip/.exec(stderr) ?? [];
  if (download !== undefined) {
    return new HotplugError(
      "compile",
      `Cannot compile for ${where}: its base can't be had from ${download}; check the network, ` +
        `or give a mirror with --denort-mirror URL_OR_DIR`,
      { cause: new Error(stderr) },
    );
  }
  const text = stderr.replace(/^Stack backtrace:[\s\S]*/m, "").trim();
  return new HotplugError("compile", `Cannot compile for ${where}:\n${text}`);
}
