import {
  DEFAULT_BARE_SETTLE_MS,
  DEFAULT_FUTURE_TOLERANCE_MS,
  DEFAULT_MAX_MODULE_BYTES,
  formatVersion,
  type Hook,
  HOOKS,
  hostRuntime,
  HotplugError,
  isPluginName,
  isScn,
  type KeySource,
  parseVersion,
  type PublicKey,
  type Runtime,
  type RuntimeRule,
  type Scn,
  targetOf,
} from "../../artifact/mod.ts";
import {
  checkPluginSettings,
  type OwnPluginSettings,
  type PluginSettings,
  type SettingsSource,
} from "./plugin_settings.ts";
import { MAX_TIMER, range } from "./range.ts";
import type { TierOptions } from "./tier_settings.ts";
import { type ApprovalRule, resolveApprove, resolveOwnTrust, resolveTrust } from "./trust.ts";

/** How a {@linkcode PluginManager} behaves; settings of plugins are those of all it has. */
export interface ManagerOptions extends PluginSettings, TierOptions {
  /**
   * The floor: artifacts below it are outdated.
   *
   * @default {0} no floor
   */
  readonly initialScn?: Scn;
  /**
   * What the host runs, to check artifacts against.
   *
   * @default {hostRuntime()}
   */
  readonly runtime?: Runtime;
  /**
   * How closely an artifact's runtime must fit the host's.
   *
   * @default {"compatible"}
   */
  readonly runtimeRule?: RuntimeRule;
  /**
   * Whether an artifact without an info file is refused.
   *
   * @default {false}
   */
  readonly requireInfo?: boolean;
  /**
   * The public keys that are trusted: PEM, JWK or `{ id, key }`. With them, only what one of them has
   * signed is opened, only what was signed counts of an info file, and a module without one is refused.
   * Give the old key and the new one while keys change, then the new one alone.
   *
   * @default nothing need be signed
   */
  readonly trust?: KeySource | readonly KeySource[];
  /**
   * Which versions are held until {@linkcode PluginManager.approve} lets them in: `"more"`, those that
   * ask for more permissions than the one that runs; `"all"`, the first one of a plugin too, whatever
   * it asks for; `"none"`, no one. Told as `approval-required`.
   *
   * @default {"more"}
   */
  readonly approve?: ApprovalRule;
  /**
   * How long size and time of a bare module must have stood still before `openNewest` takes it, in
   * milliseconds.
   *
   * @default {2000}
   */
  readonly bareSettle?: number;
  /**
   * Settings of single plugins, by name; what one leaves out is as for all.
   *
   * @default {{}}
   */
  readonly plugins?: Readonly<Record<string, OwnPluginSettings>>;
  /**
   * What each plugin's `activate` gets as `context.config`, by the plugin's name.
   *
   * @default {{}}
   */
  readonly config?: Readonly<Record<string, unknown>>;
  /**
   * Whether late errors and exit calls of plugins are kept from ending the process.
   *
   * @default {false}
   */
  readonly guards?: boolean;
  /**
   * How long a module's top level may take, in milliseconds.
   *
   * One that never ends is given up, but Deno remembers it: a host that ends by running out of work
   * ends with code 1 then ("Top-level await promise never resolved"). End it with `Deno.exit`.
   *
   * @default {10000}
   */
  readonly loadDeadline?: number;
  /**
   * How long `activate` may take, in milliseconds.
   *
   * @default {10000}
   */
  readonly activateDeadline?: number;
  /**
   * How long each of the other hooks may take, in milliseconds.
   *
   * @default {5000} for each
   */
  readonly hookDeadlines?: Readonly<Partial<Record<Exclude<Hook, "activate">, number>>>;
  /**
   * How large an artifact may be, as a file and decompressed, in bytes.
   *
   * @default {67108864} 64 MiB
   */
  readonly maxSize?: number;
  /**
   * How far ahead of this host's clock an SCN may lie, in milliseconds.
   *
   * @default {600000} 10 minutes
   */
  readonly futureTolerance?: number;
}

/** {@linkcode ManagerOptions} with every gap filled; settings of plugins are filled for each of them. */
export interface ResolvedManagerOptions extends
  Required<
    Omit<
      ManagerOptions,
      keyof PluginSettings | "activateDeadline" | "hookDeadlines" | "trust" | "deno"
    >
  >,
  SettingsSource {
  /** The keys that are trusted, read; undefined where nothing need be signed. */
  readonly trust: readonly PublicKey[] | undefined;
  /** The keys of the plugins that have their own, by name. */
  readonly ownTrust: ReadonlyMap<string, readonly PublicKey[]>;
  /** The Deno that runs processes; undefined to look for one. */
  readonly deno: string | undefined;
  /** How long each hook may take, in milliseconds. */
  readonly hookDeadlines: Readonly<Record<Hook, number>>;
}

/** Fills the gaps and checks the ranges; throws a {@linkcode HotplugError} of code `options`. */
export function resolveManagerOptions(options: ManagerOptions = {}): ResolvedManagerOptions {
  const initialScn = options.initialScn ?? 0;
  if (initialScn !== 0 && !isScn(initialScn)) {
    throw new HotplugError(
      "options",
      `Option "initialScn" is ${String(initialScn)}: give 14 digits, YYYYMMDDHHMMSS in UTC`,
    );
  }
  const runtimeRule = options.runtimeRule ?? "compatible";
  if (runtimeRule !== "compatible" && runtimeRule !== "exact") {
    throw new HotplugError(
      "options",
      `Option "runtimeRule" is "${String(runtimeRule)}": give "compatible" or "exact"`,
    );
  }
  return {
    initialScn,
    runtime: options.runtime === undefined ? hostRuntime() : checkedRuntime(options.runtime),
    runtimeRule,
    requireInfo: options.requireInfo ?? false,
    trust: resolveTrust(options.trust),
    ownTrust: resolveOwnTrust(options.plugins ?? {}),
    approve: resolveApprove(options.approve ?? "more"),
    bareSettle: range("bareSettle", options.bareSettle ?? DEFAULT_BARE_SETTLE_MS, 0, MAX_TIMER),
    ...resolvePlugins(options),
    config: { ...options.config },
    guards: options.guards ?? false,
    deno: options.deno,
    executables: options.executables ?? false,
    workerPermissions: options.workerPermissions ?? false,
    loadDeadline: range("loadDeadline", options.loadDeadline ?? 10_000, 1, MAX_TIMER),
    hookDeadlines: resolveHookDeadlines(options),
    maxSize: range("maxSize", options.maxSize ?? DEFAULT_MAX_MODULE_BYTES, 1, 2 ** 31),
    futureTolerance: range(
      "futureTolerance",
      options.futureTolerance ?? DEFAULT_FUTURE_TOLERANCE_MS,
      0,
      Number.MAX_SAFE_INTEGER,
    ),
  };
}

/** What can change while a manager is at work: it is looked at for each load. */
export type ReloadableOptions = Omit<
  ResolvedManagerOptions,
  "guards" | "hookDeadlines" | "approve"
>;

/** Leaves out what was taken over when the manager was made. */
export function reloadable(options: ResolvedManagerOptions): ReloadableOptions {
  const { guards: _guards, hookDeadlines: _hooks, approve: _approve, ...rest } = options;
  return rest;
}

function checkedRuntime(runtime: Runtime): Runtime {
  try {
    const { os, arch } = targetOf(runtime);
    return { version: formatVersion(parseVersion(runtime.version)), os, arch };
  } catch (cause) {
    throw new HotplugError(
      "options",
      `Option "runtime" is ${JSON.stringify(runtime)}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

function resolveHookDeadlines(
  { activateDeadline = 10_000, hookDeadlines }: ManagerOptions,
): Record<Hook, number> {
  const given: Partial<Record<Hook, number>> = hookDeadlines ?? {};
  const entries = HOOKS.map((hook) =>
    hook === "activate"
      ? [hook, range("activateDeadline", activateDeadline, 1, MAX_TIMER)] as const
      : [hook, range(`hookDeadlines.${hook}`, given[hook] ?? 5_000, 1, MAX_TIMER)] as const
  );
  return Object.fromEntries(entries) as Record<Hook, number>;
}

function resolvePlugins(options: ManagerOptions): Pick<SettingsSource, "defaults" | "plugins"> {
  const { tier, loader, permissions, retention, probation, contracts } = options;
  const { callDeadline, maxInFlight, drainDeadline } = options;
  const { heapLimit, env, preflight, moveLostWorkers } = options;
  const bounds = { callDeadline, maxInFlight, drainDeadline };
  const own = { heapLimit, env, preflight, moveLostWorkers };
  const all = { tier, loader, permissions, retention, probation, contracts, ...bounds, ...own };
  const defaults = Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined),
  ) as PluginSettings;
  checkPluginSettings(defaults, "");
  const plugins = { ...options.plugins };
  for (const [name, settings] of Object.entries(plugins)) {
    // No plugin would ever have them: not the permissions, nor the keys, that somebody counts on.
    if (!isPluginName(name)) {
      throw new HotplugError(
        "options",
        `Option "plugins" has settings for ${JSON.stringify(name)}, which is no plugin's name: ` +
          "give the name alone, as in the artifact's name before its SCN",
      );
    }
    checkPluginSettings(settings, `plugins.${name}.`);
  }
  return { defaults, plugins };
}
