import { HotplugError } from "../artifact/mod.ts";
import { reloadable } from "../manager/settings/options.ts";
import type { DaemonParts } from "./daemon_parts.ts";
import type { ConfigEvent } from "./events.ts";
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

/** What came of reading the options again. */
export interface Reloaded {
  /** The options; undefined where there is nowhere to read them from. */
  readonly next: ResolvedDaemonOptions | undefined;
  /** The names of those that have changed and need a restart. */
  readonly restart: string[];
}

/** Reads the options again, and takes over what can be; what came of it is told. */
export async function reloadOptions(
  current: ResolvedDaemonOptions,
  { manager, runners }: Pick<DaemonParts, "manager" | "runners">,
  emit: (event: ConfigEvent) => void,
): Promise<Reloaded> {
  if (!current.reload) return { next: undefined, restart: [] };
  try {
    const read = await current.reload();
    const next = resolveDaemonOptions(read);
    const restart = [...applyOptions(current, next), ...read.restart ?? []];
    manager.reconfigure(next.managerOptions);
    runners.retry();
    emit(reloadedEvent(restart));
    return { next, restart };
  } catch (error) {
    emit(rejectedEvent(error));
    throw error;
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
  const { memorySoft, memoryHard, managerOptions } = next;
  const changed = [
    ...FIXED.filter((each) => differs(current[each], next[each])),
    ...FIXED_OF_MANAGER.filter((each) => differs(current.manager[each], next.manager[each])),
    ...changedDeadlines(current.manager, next.manager),
  ];
  const { bareSettle: _, ...manager } = reloadable(next.manager);
  Object.assign(current.manager, manager);
  Object.assign(current, { memorySoft, memoryHard, managerOptions });
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
function reloadedEvent(restart: readonly string[]): ConfigEvent {
  const message = restart.length === 0
    ? "The configuration was read again, and is in force"
    : "The configuration was read again, and is in force but for what needs a restart: " +
      restart.join(", ");
  return { type: "config", time: new Date().toISOString(), state: "reloaded", message, restart };
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
  };
}

function differs(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}
