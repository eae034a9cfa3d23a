import { choose, type Listing } from "../manager/mod.ts";
import { describeError } from "../manager/describe_error.ts";
import { type CheckedPlugin, checkPlugin, type PluginCheck } from "./check_plugin.ts";
import { listDirectories } from "./scan/list_directories.ts";
import { whyMisnamed } from "./scan/misnamed.ts";
import { judgeLoads } from "./state/judge_loads.ts";
import { LoadJournal } from "./state/load_journal.ts";
import { peekState, type ReadState } from "./state/state_file.ts";
import { NO_RECORD } from "./state/state_record.ts";
import { isStateFolderTaken, troubleWithStateFolder } from "./state/state_folder.ts";
import { type DaemonOptions, resolveDaemonOptions, type ResolvedDaemonOptions } from "./options.ts";

/** A watched folder. */
export interface CheckedFolder {
  /** Its path. */
  readonly directory: string;
  /** How many names are in it, folders in it included where they are watched too. */
  readonly files: number;
  /** Why files that were meant to be artifacts are none, by their names; absent where all are well. */
  readonly misnamed?: readonly string[];
  /** What is the matter with it; absent where nothing is. */
  readonly trouble?: string;
}

/** The state folder. */
export interface CheckedState {
  /** Its path. */
  readonly directory: string;
  /** What is the matter with it; absent where nothing is. */
  readonly trouble?: string;
}

/** What a daemon would make of its options and folders. */
export interface DaemonCheck {
  /** Whether nothing is the matter. */
  readonly ok: boolean;
  /** The watched folders. */
  readonly folders: readonly CheckedFolder[];
  /** The state folder; absent where nothing is to outlive the process. */
  readonly state?: CheckedState;
  /** The plugins, by name. */
  readonly plugins: readonly CheckedPlugin[];
}

/**
 * Looks at what a daemon of these options would load, as it would, but for running it: folders are
 * listed, artifacts are read and verified.
 *
 * So is what is remembered of an earlier process: what would be reopened, and what is kept out. Nothing is
 * changed by that, and that a daemon has the state folder at the moment is no trouble.
 *
 * @throws {HotplugError} `options` where one is out of its range.
 */
export async function checkDaemon(options: DaemonOptions): Promise<DaemonCheck> {
  const resolved = resolveDaemonOptions(options);
  const folders: CheckedFolder[] = [];
  const listings: Listing[] = [];
  const roots = new Map<string, string>();
  for (const directory of resolved.watch) {
    const { listed, folder } = await lookAt(directory, resolved);
    folders.push(folder);
    listings.push(...listed);
    for (const each of listed) {
      // The innermost of several.
      const isInner = directory.length > (roots.get(each.directory) ?? "").length;
      if (isInner) roots.set(each.directory, directory);
    }
  }
  const choices = choose(listings, {
    options: resolved.manager,
    currentScn: () => undefined,
    now: Date.now(),
    isThorough: true,
  });
  const { records, lost } = resolved.state === undefined ? NOTHING : remembered(resolved.state);
  const checks: PluginCheck[] = [];
  for (const name of [...new Set([...choices.keys(), ...records.keys()])].sort()) {
    const choice = choices.get(name) ?? { name, candidates: [], skips: [], twins: [] };
    checks.push(await checkPlugin(choice, records.get(name) ?? NO_RECORD, resolved, roots));
  }
  const plugins = checks.map(({ plugin }) => plugin)
    .filter(({ scn, refused }) => scn !== undefined || refused.length > 0);
  const state = checkState(resolved, lost);
  const ok = [...folders, state].every((each) => each?.trouble === undefined) &&
    folders.every(({ misnamed }) => misnamed === undefined) &&
    checks.every(({ isFine }) => isFine);
  return { ok, folders, ...(state && { state }), plugins };
}

const NOTHING: ReadState = { records: new Map(), lost: undefined };

/**
 * As a start finds it, which judges what was loading as the process ended. Beside a running daemon that is
 * what it is loading.
 */
function remembered(state: string): ReadState {
  const { records, lost } = peekState(state);
  const unended = isStateFolderTaken(state) ? [] : LoadJournal.peek(state);
  const judged = judgeLoads(records, unended).map(({ load, record }) =>
    [load.name, record] as const
  );
  return { records: new Map([...records, ...judged]), lost };
}

function checkState(
  { state }: ResolvedDaemonOptions,
  lost: string | undefined,
): CheckedState | undefined {
  if (state === undefined) return undefined;
  const trouble = troubleWithStateFolder(state) ??
    (lost === undefined ? lost : `${lost}; the initial SCN and the folders decide then`);
  return { directory: state, ...(trouble !== undefined && { trouble }) };
}

async function lookAt(
  directory: string,
  { recursive }: ResolvedDaemonOptions,
): Promise<{ readonly listed: readonly Listing[]; readonly folder: CheckedFolder }> {
  let trouble: string | undefined;
  const listed = await listDirectories([directory], {
    recursive,
    failed: (at, error) => trouble ??= `${at}: ${describeError(error)}`,
  });
  if (listed.length === 0) trouble ??= "there is no such directory";
  const files = listed.reduce((sum, each) => sum + each.files.length, 0);
  const misnamed = listed.flatMap((each) => each.files.flatMap((file) => whyMisnamed(file) ?? []));
  const folder = {
    directory,
    files,
    ...(misnamed.length > 0 && { misnamed }),
    ...(trouble !== undefined && { trouble }),
  };
  return { listed, folder };
}
