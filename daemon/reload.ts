import { HotplugError } from "../artifact/mod.ts";
import { reloadable } from "../manager/settings/options.ts";
import type { PluginManager } from "../manager/mod.ts";
import type { ReopenRetries } from "./loading/reopen_retries.ts";
import type { RunnerPool } from "./loading/runner_pool.ts";
import type { ConfigEvent } from "./events.ts";
import type { LogLevel } from "./log_level.ts";
import { resolveDaemonOptions, type ResolvedDaemonOptions } from "./options.ts";

/** What is taken over when a daemon is made, and stays so until it is made again. */
const FIXED = [
  "watch",
  "recursive",
  "poll",
  "alwaysPoll",
  "scanInterval",
  "rootCheck",
  "retryMin",
  "retryMax",
  "state",
] as const;

/** As above, of its manager. */
const FIXED_OF_MANAGER = ["guards", "approve", "bareSettle"] as const;

/** What takes options over that have changed. */
export interface ReloadWorld {
  /** What has the plugins loaded. */
  readonly manager: Pick<PluginManager, "reconfigure">;
  /** What opens what was chosen. */
  readonly runners: Pick<RunnerPool, "retry">;
  /** What reopens what was current before a restart. */
  readonly retries: Pick<ReopenRetries, "retry">;
  /** Tells what came of it. */
  emit(event: ConfigEvent): void;
}

/** Reads a daemon's options again, as often as it is asked to. */
export class OptionsReload {
  readonly #current: ResolvedDaemonOptions;
  readonly #world: ReloadWorld;
  #begun = 0;
  #newest = 0;

  /** Makes it for these options, which change in place. */
  constructor(current: ResolvedDaemonOptions, world: ReloadWorld) {
    this.#current = current;
    this.#world = world;
  }

  /**
   * Reads them, and takes over what can be; what came of it is told. What is logged is set by whoever asks,
   * where it is to be something else than before: it may have been set by hand since. Resolves to the names
   * of those that have changed and need a restart.
   */
  async reload(setLogLevel: (level: LogLevel) => void): Promise<string[]> {
    const { reload } = this.#current;
    if (!reload) return [];
    const number = ++this.#begun;
    try {
      const read = await reload();
      const next = resolveDaemonOptions(read);
      // One that was read later, from newer files, is in force already.
      if (number < this.#newest) return [];
      this.#newest = number;
      const before = this.#current.logLevel;
      const restart = this.#take(next, read.restart ?? []);
      if (next.logLevel !== before) setLogLevel(next.logLevel);
      return restart;
    } catch (error) {
      this.#world.emit(rejectedEvent(error));
      throw error;
    }
  }

  #take(next: ResolvedDaemonOptions, others: readonly string[]): string[] {
    const { manager, runners, retries, emit } = this.#world;
    const restart = [...applyOptions(this.#current, next), ...others];
    const plugins = manager.reconfigure(next.managerOptions);
    runners.retry();
    retries.retry();
    emit(reloadedEvent(restart, plugins));
    return restart;
  }
}

/**
 * Takes over, in place, what can change while a daemon is at work; answers with the names of what has
 * changed besides and needs a restart.
 */
function applyOptions(
  current: ResolvedDaemonOptions,
  next: ResolvedDaemonOptions,
): string[] {
  const { logLevel, memorySoft, memoryHard, managerOptions } = next;
  const changed = [
    ...FIXED.filter((each) => differs(current[each], next[each])),
    ...FIXED_OF_MANAGER.filter((each) => differs(current.manager[each], next.manager[each])),
    ...changedDeadlines(current.manager, next.manager),
  ];
  const { bareSettle: _, ...manager } = reloadable(next.manager);
  Object.assign(current.manager, manager);
  Object.assign(current, { logLevel, memorySoft, memoryHard, managerOptions });
  return changed.map((each) => each === "alwaysPoll" ? "poll" : each)
    .filter((each, index, all) => all.indexOf(each) === index);
}

/** That of `activate` has a name of its own, as the configuration file has it. */
function changedDeadlines(
  { hookDeadlines: { activate, ...others } }: ResolvedDaemonOptions["manager"],
  { hookDeadlines: { activate: nextActivate, ...nextOthers } }: ResolvedDaemonOptions["manager"],
): string[] {
  return [
    ...(activate === nextActivate ? [] : ["activateDeadline"]),
    ...(differs(others, nextOthers) ? ["hookDeadlines"] : []),
  ];
}

/** What is told of options that were taken over. */
function reloadedEvent(restart: readonly string[], plugins: readonly string[]): ConfigEvent {
  const time = new Date().toISOString();
  const message = "The configuration was read again, and is in force" +
    (restart.length === 0 ? "" : ` but for what needs a restart: ${restart.join(", ")}`) +
    (plugins.length === 0
      ? ""
      : `; plugins that run by other settings until their next version, or a restart: ${
        plugins.join(", ")
      }`);
  return { type: "config", time, state: "reloaded", message, restart, plugins };
}

/** What is told of options that can't be taken over. */
function rejectedEvent(error: unknown): ConfigEvent {
  const why = error instanceof HotplugError ? error.message : String(error);
  const message = `${why}; the last good configuration stays in force`;
  return {
    type: "config",
    time: new Date().toISOString(),
    state: "rejected",
    message,
    restart: [],
    plugins: [],
  };
}

function differs(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}
