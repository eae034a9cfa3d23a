import type { ArtifactName, InfoFile, KeySource, Permissions } from "../../artifact/mod.ts";
import { HotplugError } from "../../artifact/mod.ts";
import { MAX_TIMER, range } from "./range.ts";
import { type Probation, type ResolvedProbation, resolveProbation } from "./probation.ts";
import { type ResolvedRetention, resolveRetention, type Retention } from "./retention.ts";
import {
  type ResolvedTierSettings,
  resolveTierSettings,
  type TierSettings,
} from "./tier_settings.ts";

/** Where a generation runs: in this isolate, in one of its own, or in a process of its own. */
export type Tier = "inline" | "worker" | "process";

/** Chooses the tier by what the artifact says of itself; the info file is missing beside a bare module. */
export type ChooseTier = (info: InfoFile | undefined, artifact: ArtifactName) => Tier;

/** How a module gets into this isolate; see {@linkcode PluginSettings.loader}. */
export type Loader = "import" | "reclaimable";

/** How a plugin is run. */
export interface PluginSettings extends TierSettings {
  /**
   * Where its generations run.
   *
   * @default {"inline"}
   */
  readonly tier?: Tier | ChooseTier;
  /**
   * How a module gets into this isolate. What is imported stays in memory for good. `reclaimable`
   * evaluates it by `vm.SourceTextModule`: a retired generation is collected, as far as the process
   * runs with `--v8-flags=--no-compilation-cache`.
   *
   * @default {"import"}
   */
  readonly loader?: Loader;
  /**
   * The most that the plugin is given in a process of its own: it gets what its info file asks for
   * as far as that is allowed here.
   *
   * @default {{}} nothing
   */
  readonly permissions?: Permissions;
  /** Which generations stay in memory. */
  readonly retention?: Retention;
  /**
   * When a new generation is taken back by itself.
   *
   * @default {false} never
   */
  readonly probation?: Probation | false;
  /**
   * The contracts that the host fulfils; an artifact that requires another one is refused.
   *
   * @default {[]}
   */
  readonly contracts?: readonly string[];
  /**
   * How long a call may take, in milliseconds; `Infinity` for as long as it takes.
   *
   * @default `Infinity` inline, 30 000 in a worker or process
   */
  readonly callDeadline?: number;
  /**
   * How many calls of a generation may be under way at a time; one more is refused with `busy`.
   *
   * @default `Infinity` inline, 1 024 in a worker or process
   */
  readonly maxInFlight?: number;
  /**
   * How long a superseded generation waits for who holds it before it is deactivated, in milliseconds.
   *
   * @default {30000}
   */
  readonly drainDeadline?: number;
  /**
   * Whether a new version waits for the `quiesce` and `handover` of the one before. Without, one whose
   * hooks always fail can be superseded; what it has is lost.
   *
   * @default {true}
   */
  readonly handover?: boolean;
}

/** The settings of one plugin in a manager: those of all, and its own. */
export interface OwnPluginSettings extends PluginSettings {
  /** What its `activate` gets as `context.config`. */
  readonly config?: unknown;
  /**
   * The public keys that are trusted for this plugin, and no others.
   *
   * @default those of all
   */
  readonly trust?: KeySource | readonly KeySource[];
}

/** {@linkcode PluginSettings} with every gap filled, for one artifact. */
export interface ResolvedPluginSettings extends ResolvedTierSettings {
  readonly tier: Tier;
  readonly loader: Loader;
  readonly permissions: Permissions;
  readonly retention: ResolvedRetention;
  readonly probation: ResolvedProbation | undefined;
  readonly contracts: readonly string[];
  readonly callDeadline: number;
  readonly maxInFlight: number;
  readonly drainDeadline: number;
  readonly config: unknown;
}

/** What the settings of a plugin are read from. */
export interface SettingsSource {
  /** For all plugins. */
  readonly defaults: PluginSettings;
  /** For single ones, by name. */
  readonly plugins: Readonly<Record<string, OwnPluginSettings>>;
  /** What `activate` gets, by name; a plugin's own settings come first. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Remote calls end some time: who calls another process does not wait for good. */
const REMOTE_DEADLINE = 30_000;
const REMOTE_IN_FLIGHT = 1_024;

/** Fills the gaps for one artifact. */
export function settingsOf(
  { defaults, plugins, config }: SettingsSource,
  artifact: ArtifactName,
  info: InfoFile | undefined,
): ResolvedPluginSettings {
  const { name } = artifact;
  const own = ownOf(plugins, name) ?? {};
  const merged: OwnPluginSettings = { ...defaults, ...defined(own) };
  const tier = tierOf(merged.tier ?? "inline", artifact, info);
  const remote = tier !== "inline";
  return {
    ...resolveTierSettings(merged),
    tier,
    loader: merged.loader ?? "import",
    permissions: merged.permissions ?? {},
    retention: resolveRetention(merged.retention, tier),
    probation: resolveProbation(merged.probation),
    contracts: merged.contracts ?? [],
    callDeadline: merged.callDeadline ?? (remote ? REMOTE_DEADLINE : Infinity),
    maxInFlight: merged.maxInFlight ?? (remote ? REMOTE_IN_FLIGHT : Infinity),
    drainDeadline: merged.drainDeadline ?? 30_000,
    config: Object.hasOwn(own, "config") ? own.config : ownOf(config, name),
  };
}

/** The contracts declared for a plugin: known before its info file is read. */
export function contractsOf(source: SettingsSource, name: string): readonly string[] {
  return settingOf(source, name, "contracts") ?? [];
}

/** Whether the version before is asked to hand over to a new one of the plugin. */
export function handsOver(source: SettingsSource, name: string): boolean {
  return settingOf(source, name, "handover") ?? true;
}

/** When a new version of the plugin is taken back by itself; undefined for never. */
export function probationOf(source: SettingsSource, name: string): ResolvedProbation | undefined {
  return resolveProbation(settingOf(source, name, "probation"));
}

/** One setting, of what the name alone decides. */
function settingOf<K extends keyof PluginSettings>(
  { defaults, plugins }: SettingsSource,
  name: string,
  key: K,
): PluginSettings[K] {
  return ownOf(plugins, name)?.[key] ?? defaults[key];
}

/** Throws a {@linkcode HotplugError} of code `options` where a setting is out of its range. */
export function checkPluginSettings(settings: PluginSettings, where: string): void {
  const { tier, loader, retention, probation, callDeadline, maxInFlight, drainDeadline } = settings;
  if (tier !== undefined && typeof tier !== "function") checkTier(tier, `Option "${where}tier"`);
  if (loader !== undefined && loader !== "import" && loader !== "reclaimable") {
    throw new HotplugError(
      "options",
      `Option "${where}loader" is ${JSON.stringify(loader)}: give "import" or "reclaimable"`,
    );
  }
  resolveRetention(retention, "inline", where);
  resolveProbation(probation, where);
  resolveTierSettings(settings, where);
  if (callDeadline !== undefined && callDeadline !== Infinity) {
    range(`${where}callDeadline`, callDeadline, 1, MAX_TIMER);
  }
  if (maxInFlight !== undefined && maxInFlight !== Infinity) {
    range(`${where}maxInFlight`, maxInFlight, 1, Number.MAX_SAFE_INTEGER);
  }
  if (drainDeadline !== undefined) range(`${where}drainDeadline`, drainDeadline, 0, MAX_TIMER);
}

function tierOf(tier: Tier | ChooseTier, artifact: ArtifactName, info: InfoFile | undefined): Tier {
  if (typeof tier !== "function") return tier;
  const chosen = tier(info, artifact);
  checkTier(chosen, `The tier that option "tier" chose for plugin "${artifact.name}"`);
  return chosen;
}

function checkTier(tier: unknown, what: string): void {
  if (tier === "inline" || tier === "worker" || tier === "process") return;
  throw new HotplugError(
    "options",
    `${what} is ${JSON.stringify(tier)}: give "inline", "worker" or "process"`,
  );
}

/** By own key: a plugin may well be named `constructor`. */
function ownOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function defined(settings: OwnPluginSettings): OwnPluginSettings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
