import { basename, dirname, isAbsolute, join, relative, resolve } from "@std/path";
import { DEFAULT_RETRY_MAX_MS, DEFAULT_RETRY_MIN_MS, HotplugError } from "../artifact/mod.ts";
import {
  type ManagerOptions,
  type ResolvedManagerOptions,
  resolveManagerOptions,
} from "../manager/settings/options.ts";
import { range } from "../manager/settings/range.ts";
import { storeOf } from "./state/artifact_store.ts";
import { defaultStateFolder } from "./state/default_state_folder.ts";
import { checkLogLevel, type LogLevel } from "./log_level.ts";
import type { MemoryLimits } from "./memory_budget.ts";

/** How a {@linkcode PluginDaemon} behaves; what it loads with is as for a manager. */
export interface DaemonOptions extends ManagerOptions {
  /** The directories to watch, at least one; one that is not there yet is waited for. */
  readonly watch: readonly string[];
  /**
   * Whether late errors and exit calls of plugins are kept from ending the process.
   *
   * @default {true}
   */
  readonly guards?: boolean;
  /**
   * Time between two full scans, in milliseconds; they find what no event told of.
   *
   * @default {10000}
   */
  readonly scanInterval?: number;
  /**
   * Time between two looks whether a watched directory is still the same one, in milliseconds.
   *
   * @default {500}
   */
  readonly rootCheck?: number;
  /**
   * Whether folders in the directories are watched too.
   *
   * @default {false}
   */
  readonly recursive?: boolean;
  /**
   * Lists the directories each time so many milliseconds have passed, and does not wait to be told of
   * changes. That is done anyway, once a second, on network file systems and where the system's
   * watches are used up.
   *
   * @default {0} only there
   */
  readonly poll?: number;
  /**
   * The first pause before a passing failure is tried again, in milliseconds; it doubles with each
   * further one.
   *
   * @default {1000}
   */
  readonly retryMin?: number;
  /**
   * The longest pause before a passing failure is tried again, in milliseconds.
   *
   * @default {300000} 5 minutes
   */
  readonly retryMax?: number;
  /**
   * From what weight on something is logged; see {@linkcode PluginDaemon.setLogLevel}.
   *
   * @default {"info"}
   */
  readonly logLevel?: LogLevel;
  /**
   * The folder for what is to outlive the process: what is current of each plugin, with its bytes, and
   * what keeps versions out. Only one daemon at a time has it. `true` is the folder that
   * {@linkcode defaultStateFolder} names.
   *
   * @default {false} nothing outlives the process
   */
  readonly state?: string | boolean;
  /**
   * Where {@linkcode PluginDaemon.reload} gets the options from, all of them.
   *
   * @default they stay as they are
   */
  readonly reload?: () => Promise<ReloadedOptions>;
  /**
   * Past this RSS nothing more is loaded, in bytes; at most {@linkcode DaemonOptions.memoryHard}.
   *
   * @default `Infinity`
   */
  readonly memorySoft?: number;
  /**
   * Past this RSS a {@linkcode MemoryEvent} of level `hard` is told, in bytes; what to do then is the
   * host's to decide.
   *
   * @default `Infinity`
   */
  readonly memoryHard?: number;
}

/** What {@linkcode DaemonOptions.reload} answers with. */
export interface ReloadedOptions extends DaemonOptions {
  /**
   * The names of settings beside these that have changed and need a restart: they are told with those
   * of the daemon.
   *
   * @default {[]}
   */
  readonly restart?: readonly string[];
}

/** {@linkcode DaemonOptions} with every gap filled. */
export interface ResolvedDaemonOptions {
  /** What the manager is made with. */
  readonly managerOptions: ManagerOptions;
  /** How the manager behaves. */
  readonly manager: ResolvedManagerOptions;
  /** The directories to watch, absolute, each once. */
  readonly watch: readonly string[];
  /** Time between two full scans, in milliseconds. */
  readonly scanInterval: number;
  /** Time between two looks at a directory's identity, in milliseconds. */
  readonly rootCheck: number;
  /** Whether folders in the directories are watched too. */
  readonly recursive: boolean;
  /** Time between two looks where nothing tells of changes, in milliseconds. */
  readonly poll: number;
  /** Whether to look so often in any case. */
  readonly alwaysPoll: boolean;
  /** The first pause before another try, in milliseconds. */
  readonly retryMin: number;
  /** The longest pause before another try, in milliseconds. */
  readonly retryMax: number;
  /** From what weight on something is logged. */
  readonly logLevel: LogLevel;
  /** Where the options come from. */
  readonly reload: (() => Promise<ReloadedOptions>) | undefined;
  /** The state folder, absolute; undefined for none. */
  readonly state: string | undefined;
  /** Past this RSS nothing more is loaded, in bytes. */
  readonly memorySoft: number;
  /** Past this RSS it is told that the process is to end, in bytes. */
  readonly memoryHard: number;
}

const DEFAULT_POLL = 1_000;
/** The longest time between two looks, in milliseconds. */
export const DAY: number = 24 * 60 * 60 * 1000;

/** Fills the gaps and checks the ranges; throws a {@linkcode HotplugError} of code `options`. */
export function resolveDaemonOptions(options: DaemonOptions): ResolvedDaemonOptions {
  const watch = [...new Set((options.watch ?? []).map((each) => resolve(each)))];
  if (watch.length === 0) {
    throw new HotplugError("options", `Option "watch" is empty: name a directory to watch`);
  }
  const retryMin = range("retryMin", options.retryMin ?? DEFAULT_RETRY_MIN_MS, 1, DAY);
  const managerOptions: ManagerOptions = { ...options, guards: options.guards ?? true };
  return {
    managerOptions,
    manager: resolveManagerOptions(managerOptions),
    watch,
    scanInterval: range("scanInterval", options.scanInterval ?? 10_000, 10, DAY),
    rootCheck: range("rootCheck", options.rootCheck ?? 500, 10, DAY),
    recursive: options.recursive ?? false,
    poll: range("poll", options.poll || DEFAULT_POLL, 10, DAY),
    alwaysPoll: (options.poll ?? 0) !== 0,
    retryMin,
    retryMax: range("retryMax", options.retryMax ?? DEFAULT_RETRY_MAX_MS, retryMin, DAY),
    logLevel: checkLogLevel(options.logLevel ?? "info"),
    reload: options.reload,
    state: resolveState(options.state ?? false, watch, options.recursive ?? false),
    ...memoryLimits(options),
  };
}

function resolveState(
  state: string | boolean,
  watch: readonly string[],
  recursive: boolean,
): string | undefined {
  if (state === false) return undefined;
  if (state === "") throw new HotplugError("options", `Option "state" is empty: name a folder`);
  const folder = state === true ? defaultStateFolder(watch) : resolve(state);
  const real = realOf(folder);
  // What is kept there are artifacts: they would be found, and who publishes would be locked out.
  for (const each of watch) {
    const root = realOf(each);
    const what = real === root || recursive && isWithin(real, root)
      ? "which is watched: name a folder outside of it"
      : isBelow(root, storeOf(real))
      ? `and "${each}" in its store is watched: watch another folder`
      : undefined;
    if (what === undefined) continue;
    throw new HotplugError("options", `Option "state" is "${folder}", ${what}`);
  }
  return folder;
}

/** Where a path leads to; as far as it is there, and may be looked at. */
function realOf(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(realOf(folder), basename(path));
  }
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return !isAbsolute(way) && way.split(/[\\/]/)[0] !== "..";
}

/** What begins with a dot is not looked into. */
function isWithin(path: string, root: string): boolean {
  const way = relative(root, path);
  return !isAbsolute(way) && !way.split(/[\\/]/).some((part) => part.startsWith("."));
}

/** Past the hard limit the soft one has nothing left to refuse: who gives it there means something else. */
function memoryLimits(options: DaemonOptions): MemoryLimits {
  const memorySoft = bytes("memorySoft", options.memorySoft);
  const memoryHard = bytes("memoryHard", options.memoryHard);
  if (memorySoft === Infinity || memorySoft <= memoryHard) return { memorySoft, memoryHard };
  throw new HotplugError(
    "options",
    `Option "memorySoft" is ${memorySoft} bytes, more than "memoryHard" (${memoryHard}): give a soft ` +
      "limit that is reached before the hard one, or the same",
  );
}

function bytes(option: string, value: number = Infinity): number {
  return value === Infinity ? value : range(option, value, 2 ** 20, Number.MAX_SAFE_INTEGER);
}
