import { basename, dirname, join } from "@std/path";
import { HotplugError, type Scn } from "../artifact/mod.ts";
import { type Candidate, type Choice, choose, type Listing } from "../manager/mod.ts";
import { describeError } from "../manager/describe_error.ts";
import { verifyCandidate } from "../manager/artifacts/verify_candidate.ts";
import { type KeptOut, whyKeptOut } from "./kept_out.ts";
import { listDirectories } from "./scan/list_directories.ts";
import { storedPath } from "./state/artifact_store.ts";
import { peekState } from "./state/state_file.ts";
import { type KeptGeneration, NO_RECORD, type PluginRecord } from "./state/state_record.ts";
import { troubleWithStateFolder } from "./state/state_folder.ts";
import { type DaemonOptions, resolveDaemonOptions, type ResolvedDaemonOptions } from "./options.ts";

/** Why an artifact would not be loaded. */
export interface CheckRefusal {
  /** The artifact. */
  readonly path: string;
  /** What is the matter, as a stable word. */
  readonly code: string;
  /** What is the matter, and the remedy. */
  readonly message: string;
}

/** What there is of a plugin. */
export interface CheckedPlugin {
  /** Its name. */
  readonly name: string;
  /** The SCN of what would be loaded; absent where nothing would. */
  readonly scn?: Scn;
  /** The artifact of that. */
  readonly path?: string;
  /** What is newer, and would not be loaded. */
  readonly refused: readonly CheckRefusal[];
}

/** A watched folder. */
export interface CheckedFolder {
  /** Its path. */
  readonly directory: string;
  /** How many names are in it, folders in it included where they are watched too. */
  readonly files: number;
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
 * Not for this host, or not for now, or as somebody wanted it: no trouble, since a build for others may be
 * in the same folder.
 */
const NO_TROUBLE: ReadonlySet<string> = new Set([
  "platform",
  "runtime",
  "future",
  "outdated",
  "incomplete",
  "held",
  "frozen",
]);

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
  const records = resolved.state === undefined ? new Map() : peekState(resolved.state);
  const plugins: CheckedPlugin[] = [];
  for (const name of [...new Set([...choices.keys(), ...records.keys()])].sort()) {
    const choice = choices.get(name) ?? { name, candidates: [], skips: [], twins: [] };
    const plugin = await checkPlugin(choice, records.get(name) ?? NO_RECORD, resolved, roots);
    if (plugin.scn !== undefined || plugin.refused.length > 0) plugins.push(plugin);
  }
  const refused = plugins.flatMap((each) => each.refused);
  const state = checkState(resolved);
  const ok = [...folders, state].every((each) => each?.trouble === undefined) &&
    refused.every(({ code }) => NO_TROUBLE.has(code));
  return { ok, folders, ...(state && { state }), plugins };
}

function checkState({ state }: ResolvedDaemonOptions): CheckedState | undefined {
  if (state === undefined) return undefined;
  const trouble = troubleWithStateFolder(state);
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
  return { listed, folder: { directory, files, ...(trouble !== undefined && { trouble }) } };
}

async function checkPlugin(
  { name, candidates, skips }: Choice,
  record: PluginRecord,
  { manager, state }: ResolvedDaemonOptions,
  roots: ReadonlyMap<string, string>,
): Promise<CheckedPlugin> {
  const refused: CheckRefusal[] = [];
  for (const { scn, path, out } of inOrder(name, candidates, record, state)) {
    if (out) {
      // What holds for one version holds for all before it as well: the newest is enough.
      const isNews = out.code === "quarantined" || refused.every(({ code }) => code !== out.code);
      if (isNews) refused.push(refusal(path, out));
      continue;
    }
    try {
      await verifyCandidate(path, manager, roots.get(dirname(path)));
      const newer = skips.filter(({ parts }) => parts.scn > scn);
      return { name, scn, path, refused: [...skipped(newer), ...refused] };
    } catch (error) {
      if (!(error instanceof HotplugError)) throw error;
      refused.push({ path, code: error.code, message: error.message });
    }
  }
  return { name, refused: [...skipped(skips), ...refused] };
}

/** A version that may be loaded, or why it may not. */
interface Version {
  readonly scn: Scn;
  readonly path: string;
  readonly out?: KeptOut | undefined;
}

/** What is newer than what was current, then that itself and the one before it, then all else. */
function inOrder(
  name: string,
  candidates: readonly Candidate[],
  record: PluginRecord,
  state: string | undefined,
): Version[] {
  const { current, previous, quarantine } = record;
  const found = candidates.map((each) => {
    const { scn } = each.parts;
    return { scn, path: pathOf(each), out: whyKeptOut(record, scn) };
  });
  const kept = [current, previous].filter((each) => each !== undefined)
    .filter(({ scn }) => quarantine.every((each) => each.scn !== scn))
    .map((each) => ({ scn: each.scn, path: whereKept(name, each, state) }));
  const reopened = current ? kept : [];
  const isNewer = ({ scn }: Version): boolean => scn > (current?.scn ?? 0);
  return [...found.filter(isNewer), ...reopened, ...found.filter((each) => !isNewer(each))];
}

/** In the store, or where it is not there, where it was found. */
function whereKept(name: string, kept: KeptGeneration, state: string | undefined): string {
  const path = state === undefined ? kept.path : storedPath(state, name, kept);
  try {
    return Deno.lstatSync(path).isFile ? path : kept.path;
  } catch {
    return kept.path;
  }
}

/** Of what lies below the floor the newest is enough: there may be thousands. */
function skipped(skips: Choice["skips"]): CheckRefusal[] {
  const outdated = skips.find(({ refusal }) => refusal.code === "outdated");
  const told = skips.filter((each) => each === outdated || each.refusal.code !== "outdated");
  return told.map((each) => refusal(pathOf(each), each.refusal));
}

function refusal(
  path: string,
  { code, reason }: { readonly code: string; readonly reason: string },
): CheckRefusal {
  return { path, code, message: `Cannot open "${basename(path)}": ${reason}` };
}

function pathOf({ directory, file }: Pick<Candidate, "directory" | "file">): string {
  return join(directory, file);
}
