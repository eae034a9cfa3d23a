import type { Scn } from "../artifact/mod.ts";
import { type ManagerEvent, PluginManager } from "../manager/mod.ts";
import { probationOf } from "../manager/settings/plugin_settings.ts";
import type { DaemonState } from "./state/daemon_state.ts";
import { sourcesOf } from "./scan/deleted_log.ts";
import type { DaemonEvent } from "./events.ts";
import { Holds } from "./loading/holds.ts";
import { Loader } from "./loading/loader.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { MutedFailures } from "./loading/muted_failures.ts";
import type { ResolvedDaemonOptions } from "./options.ts";
import { OptionsReload } from "./reload.ts";
import { QuietLoader } from "./loading/quiet_loader.ts";
import { Recovery } from "./loading/recovery.ts";
import { ReopenRetries } from "./loading/reopen_retries.ts";
import { RunnerPool } from "./loading/runner_pool.ts";
import { Scanner } from "./scan/scanner.ts";
import { WatchSet } from "./watch/watch_set.ts";

/** What a daemon is put together from. */
export interface DaemonParts {
  /** What has the plugins loaded. */
  readonly manager: PluginManager;
  /** How much memory there may be. */
  readonly budget: MemoryBudget;
  /** What tells only of failures that are news. */
  readonly muted: MutedFailures;
  /** What brings back what there was before a restart. */
  readonly recovery: Recovery;
  /** What tries again what can't be reopened. */
  readonly retries: ReopenRetries;
  /** What keeps versions out. */
  readonly holds: Holds;
  /** What tells of changes. */
  readonly watches: WatchSet;
  /** What lists and chooses. */
  readonly scanner: Scanner;
  /** What opens what was chosen. */
  readonly runners: RunnerPool;
  /** What reads the options again. */
  readonly options: OptionsReload;
}

/** What the parts need of their daemon. */
export interface PartsWorld {
  /** Tells those who listen. */
  emit(event: DaemonEvent): void;
  /** Tells them what the manager tells, as far as it is news. */
  forward(event: ManagerEvent): void;
  /** What outlives the process, once it is at hand; undefined where nothing does. */
  state(): DaemonState | undefined;
  /** Asks for a scan: something may have changed in the folders, or may be loaded now. */
  scan(): void;
}

/** How long a load may keep a newer artifact of its plugin waiting, in milliseconds. */
const PATIENCE = 1_000;

/** Makes the parts of a daemon; nothing of them has begun. */
export function makeParts(options: ResolvedDaemonOptions, world: PartsWorld): DaemonParts {
  const { emit, forward, state, scan } = world;
  const manager: PluginManager = new PluginManager(
    options.managerOptions,
    (...failing) => holds.takeBack(...failing),
  );
  manager.subscribe(forward);
  const budget = new MemoryBudget(options, emit);
  const hint = (path?: string): void => {
    scanner.tell(path);
    scan();
  };
  const watches = new WatchSet(options, { hint, emit });
  const rootOf = (path: string): string | undefined => watches.rootOf(path);
  const loader = new Loader({ manager, state, budget, rootOf });
  const muted = new MutedFailures();
  const reopening = {
    manager,
    loader: new QuietLoader({ loader, muted }),
    probationOf: (name: string) => probationOf(options.manager, name)?.window,
    emit,
  };
  const retries = new ReopenRetries({
    ...reopening,
    backoff: options,
    isFollowed: (name, scn) => runners.follows(name, scn),
  });
  const recovery = new Recovery({ ...reopening, retries });
  const released = (name: string): void => {
    if (!recovery.awaits(name)) retries.tryAgain(name);
  };
  manager.subscribe((event) => {
    if (event.type === "thawed") released(event.name);
  });
  const isHeld = (name: string, scn: Scn): boolean =>
    manager.isHeld(name, scn) || recovery.keepsOut(name, scn) ||
    retries.keepsOut(name, scn);
  const scanner = new Scanner({
    options: options.manager,
    manager,
    recursive: options.recursive,
    isHeld,
    sources: () => sourcesOf(manager, state(), rootOf),
    isLocal: (folder) => watches.isLocal(folder),
    follows: (folder) => watches.follows(folder),
    pipes: (paths) => watches.keepPipes(paths),
    listed: (folders) => watches.cover(folders),
    unlisted: (folder, error) => watches.unlisted(folder, error),
    emit,
  });
  const runners = new RunnerPool({
    manager: {
      open: (path, how) => loader.open(path, how),
      current: (name) => manager.current(name),
    },
    backoff: options,
    bareSettle: options.manager.bareSettle,
    patience: PATIENCE,
    muted,
    isHeld,
    exhausted: (name) => {
      if (scanner.deepen(name)) scan();
    },
    emit,
  });
  const opened = (name: string): void => runners.superseded(name);
  const notOpened = (name: string): void => {
    if (runners.judgeAnew(name)) scan();
  };
  const holds: Holds = new Holds({
    ...{ manager, loader, state, emit: forward, opened, notOpened, released, scan },
  });
  const reload = new OptionsReload(options, { manager, runners, retries, emit });
  return {
    manager,
    budget,
    muted,
    recovery,
    retries,
    holds,
    watches,
    scanner,
    runners,
    options: reload,
  };
}
