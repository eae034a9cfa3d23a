import { HotplugError } from "../../artifact/mod.ts";
import { range } from "./range.ts";

/** How a plugin is run where it runs on its own. */
export interface TierSettings {
  /**
   * The most that its JavaScript heap may take in a worker or process, in MiB; past that it is ended.
   * What lies outside of the heap, as the bytes of typed arrays, is not counted.
   *
   * @default {512}
   */
  readonly heapLimit?: number;
  /**
   * The environment of its process: variables by name that it gets of the host's, or with their values.
   * To read them it needs the permission `env`, too.
   *
   * @default {[]} none
   */
  readonly env?: readonly string[] | Readonly<Record<string, string>>;
  /**
   * Whether its module is first imported in a process that is thrown away, with a deadline and a heap
   * limit, so that one that never ends or takes all memory never gets into this process. Its top level
   * runs twice then. By itself that is done for a plugin that has crashed before.
   *
   * @default {false}
   */
  readonly preflight?: boolean;
  /**
   * Whether a plugin whose worker was lost, busy or out of memory, is moved to a process with the
   * next generation.
   *
   * @default {true}
   */
  readonly moveLostWorkers?: boolean;
}

/** {@linkcode TierSettings} with every gap filled. */
export type ResolvedTierSettings = Required<TierSettings>;

/** Fills the gaps; throws a {@linkcode HotplugError} of code `options` where one is out of its range. */
export function resolveTierSettings(settings: TierSettings, where = ""): ResolvedTierSettings {
  const { heapLimit = 512, env = [], preflight = false, moveLostWorkers = true } = settings;
  const names = Array.isArray(env) ? env : Object.keys(env);
  for (const name of names) {
    if (typeof name === "string" && name !== "" && !/[=\0]/.test(name)) continue;
    throw new HotplugError(
      "options",
      `Option "${where}env" names ${JSON.stringify(name)}: a name takes no "=" and no NUL`,
    );
  }
  return {
    heapLimit: range(`${where}heapLimit`, heapLimit, 8, 2 ** 20),
    env,
    preflight,
    moveLostWorkers,
  };
}

/** The options of a manager about what its plugins run in. */
export interface TierOptions {
  /**
   * The Deno that runs processes, as a path.
   *
   * @default `HOTPLUG_DENO`, else the one that runs this process, else the one in `PATH`
   */
  readonly deno?: string;
  /**
   * Whether executables are loaded. They run in processes, with the permissions that were compiled into
   * them: an info file can only claim what these are.
   *
   * @default {false}
   */
  readonly executables?: boolean;
  /**
   * States that this process runs with `--unstable-worker-options`: then a worker gets no more than its
   * info file asks for and is allowed. Without, a plugin that asks for less than this process has is
   * refused in a worker, which is no boundary.
   *
   * @default {false}
   */
  readonly workerPermissions?: boolean;
}
