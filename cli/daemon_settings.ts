import { join, resolve } from "@std/path";
import { HotplugError, type Scn } from "../artifact/mod.ts";
import {
  type ControlOptions,
  type DaemonConfig,
  type DaemonOptions,
  type LogLevel,
  readConfig,
  type ReloadedOptions,
} from "../daemon/mod.ts";
import type { ApprovalRule } from "../manager/mod.ts";
import { readPublicKeys } from "../daemon/config/key_files.ts";
import { resolveControlOptions } from "../daemon/control/control_options.ts";
import { resolveDaemonOptions } from "../daemon/options.ts";
import { type Address, portArgument } from "./argument.ts";
import { readToken } from "./read_token.ts";

/** The flags of `hotplug daemon`. */
export interface DaemonFlags {
  readonly config?: string | boolean;
  readonly initialScn?: Scn;
  readonly trust?: readonly string[];
  readonly approve?: ApprovalRule;
  readonly state?: string | boolean;
  readonly recursive?: true;
  readonly poll?: number;
  readonly memorySoft?: number;
  readonly memoryHard?: number;
  readonly exitOnMemory?: true;
  readonly stopDeadline?: number;
  readonly logLevel?: LogLevel;
  readonly log?: "pretty" | "json";
  readonly control?: Address | boolean;
  readonly tokenFile?: string;
  readonly allowInvoke?: true;
  readonly gateway?: Address;
  readonly check?: true;
  readonly json?: true;
}

/** How a daemon is run from the command line. */
export interface DaemonSettings {
  /** What it is made with. */
  readonly options: DaemonOptions;
  /** The configuration file that was read; undefined where there is none. */
  readonly configFile: string | undefined;
  /** How it is logged. */
  readonly log: "pretty" | "json";
  /** How long a stop waits for calls under way, in milliseconds. */
  readonly stopDeadline: number;
  /** Whether it drains and exits past the hard limit of memory. */
  readonly exitOnMemory: boolean;
  /** How it is controlled; undefined for not at all. */
  readonly control: ControlOptions | undefined;
  /** Where its plugins are served by http; undefined for nowhere. */
  readonly gateway: Address | undefined;
}

/** The configuration file of a folder. */
export const CONFIG_FILE = "hotplug.jsonc";
const STOP_DEADLINE = 10_000;
const MEBI = 2 ** 20;

/**
 * Puts the configuration file and the flags together; what a flag says goes before what the file says.
 *
 * Directories may be named by neither: then there are none.
 *
 * @throws {HotplugError} `config` or `key` for a file that can't be used, or that does not go together with
 * the flags; `options` for flags that make no sense whatever it says.
 */
export async function daemonSettings(
  directories: readonly string[],
  flags: DaemonFlags,
): Promise<DaemonSettings> {
  // For good: a plugin may lead the process to another folder, and its paths are still those of the start.
  directories = directories.map((each) => resolve(each));
  flags = inThisFolder(flags);
  const findConfig = configFinder(flags.config ?? true);
  let configFile = await findConfig();
  const config = configFile === undefined ? undefined : await readConfig(configFile);
  const ofProcess = processSettings(flags, config);
  const reload = async (): Promise<ReloadedOptions> => {
    // One that was not there at the start may be by now; one that was is not to be missed.
    const file = configFile ?? await findConfig();
    const config = file === undefined ? undefined : await readConfig(file);
    // From now on: without it, its trust keys above all would be gone in silence.
    configFile = file;
    const now = processSettings(flags, config);
    const options = await settle(directories, flags, config, file);
    const others = await hasOtherToken(flags, control) ? ["--token-file"] : [];
    return { ...options, restart: [...changed(ofProcess, now), ...others] };
  };
  const options = await settle(directories, flags, config, configFile);
  const control = await controlOptions(flags, options.state !== false);
  return { options: { ...options, reload }, configFile, control, ...ofProcess };
}

/** What of the settings is none of the daemon's options, and stays for as long as the process runs. */
type ProcessSettings = Pick<DaemonSettings, "log" | "stopDeadline" | "exitOnMemory" | "gateway">;

/** What the file calls them. */
const NAMES: Readonly<Record<keyof ProcessSettings, string>> = {
  log: "log",
  stopDeadline: "stopDeadline",
  exitOnMemory: "memory.exit",
  gateway: "gateway",
};

function processSettings(flags: DaemonFlags, config: DaemonConfig | undefined): ProcessSettings {
  return {
    log: flags.log ?? config?.log ?? "pretty",
    stopDeadline: flags.stopDeadline ?? config?.stopDeadline ?? STOP_DEADLINE,
    exitOnMemory: flags.exitOnMemory ?? config?.exitOnMemory ?? false,
    gateway: flags.gateway ??
      (config?.gateway === undefined ? undefined : portArgument(config.gateway)),
  };
}

/** Puts them together; who is to mend what does not go together is told: the file, unless flags alone fail so. */
async function settle(
  directories: readonly string[],
  flags: DaemonFlags,
  config: DaemonConfig | undefined,
  configFile: string | undefined,
): Promise<DaemonOptions> {
  const options = await merge(directories, flags, config);
  const cause = whyRefused(processSettings(flags, config), options);
  if (cause === undefined) return options;
  // A key may come by a pipe, which is read once; it is none that these errors are about.
  const { trust: _, ...others } = flags;
  const alone = await merge(options.watch, others, undefined);
  const isOfFlags =
    whyRefused(processSettings(others, undefined), alone)?.message === cause.message;
  if (configFile === undefined || isOfFlags) throw cause;
  throw new HotplugError(
    "config",
    `Cannot use configuration file "${configFile}": ${cause.message}`,
    { cause },
  );
}

/** Why they do not go together; undefined where they do, or no directory is named yet. */
function whyRefused(ofProcess: ProcessSettings, options: DaemonOptions): HotplugError | undefined {
  try {
    assertLimited(ofProcess, options);
    if (options.watch.length > 0) resolveDaemonOptions(options);
    return undefined;
  } catch (error) {
    if (error instanceof HotplugError) return error;
    throw error;
  }
}

/** Who wants an end for want of memory is not to be left without. */
function assertLimited({ exitOnMemory }: ProcessSettings, { memoryHard }: DaemonOptions): void {
  if (!exitOnMemory || memoryHard !== undefined) return;
  throw new HotplugError(
    "options",
    "An exit past the hard limit of memory (--exit-on-memory, memory.exit) needs that limit: give it " +
      "with --memory-hard or as memory.hard",
  );
}

/** The names of those that are others now. */
function changed(before: ProcessSettings, now: ProcessSettings): string[] {
  return (Object.keys(NAMES) as (keyof ProcessSettings)[])
    .filter((each) => JSON.stringify(before[each]) !== JSON.stringify(now[each]))
    .map((each) => NAMES[each]);
}

async function controlOptions(
  { control = true, tokenFile, allowInvoke }: DaemonFlags,
  hasState: boolean,
): Promise<ControlOptions | undefined> {
  // Whoever gives one expects to be asked for it.
  if (tokenFile !== undefined && typeof control === "boolean") {
    throw new HotplugError(
      "options",
      "Flag --token-file is for --control HOST:PORT, which is not there; add that, or leave it away",
    );
  }
  if (control === false) return undefined;
  const options = {
    ...(control !== true && { tcp: control }),
    ...(tokenFile !== undefined && { token: await readToken(tokenFile) }),
    ...(allowInvoke && { allowInvoke }),
  };
  // What a start would refuse a check is to refuse as well.
  if (options.tcp) resolveControlOptions({ ...options, ...(hasState && { state: "." }) });
  return options;
}

/**
 * Whether the file of the token holds another one than is asked for: who has replaced one that others know
 * must not take it for void. One that came by a pipe is gone, and one that can't be read is no other.
 */
async function hasOtherToken(
  { tokenFile }: DaemonFlags,
  control: ControlOptions | undefined,
): Promise<boolean> {
  if (tokenFile === undefined || control?.token === undefined) return false;
  try {
    return (await Deno.stat(tokenFile)).isFile && await readToken(tokenFile) !== control.token;
  } catch {
    return false;
  }
}

async function merge(
  directories: readonly string[],
  flags: DaemonFlags,
  config: DaemonConfig | undefined,
): Promise<DaemonOptions> {
  const { initialScn, trust, approve, state, recursive, poll, logLevel } = flags;
  const { memorySoft, memoryHard } = flags;
  const watch = directories.length > 0 ? directories : config?.options.watch ?? [];
  return {
    state: true,
    ...config?.options,
    watch,
    ...(state !== undefined && { state }),
    ...(recursive && { recursive }),
    ...(poll !== undefined && { poll }),
    ...(initialScn !== undefined && { initialScn }),
    ...(trust && { trust: await readPublicKeys(trust) }),
    ...(approve && { approve }),
    ...(logLevel && { logLevel }),
    ...(memorySoft !== undefined && { memorySoft: memorySoft * MEBI }),
    ...(memoryHard !== undefined && { memoryHard: memoryHard * MEBI }),
  };
}

/** What is named in flags is named from the folder that the process began in. */
function inThisFolder(flags: DaemonFlags): DaemonFlags {
  const { config, trust, state, tokenFile } = flags;
  return {
    ...flags,
    ...(tokenFile !== undefined && { tokenFile: resolve(tokenFile) }),
    ...(typeof config === "string" && { config: resolve(config) }),
    ...(trust && { trust: trust.map((each) => resolve(each)) }),
    ...(typeof state === "string" && { state: resolve(state) }),
  };
}

/** What finds the file that was named, or the one in this folder if there is one. */
function configFinder(config: string | boolean): () => Promise<string | undefined> {
  if (typeof config === "string") return () => Promise.resolve(config);
  if (!config) return () => Promise.resolve(undefined);
  const here = join(Deno.cwd(), CONFIG_FILE);
  return async () => {
    try {
      await Deno.lstat(here);
      return here;
    } catch {
      return undefined;
    }
  };
}
