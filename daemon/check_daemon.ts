import { join } from "@std/path";
import { HotplugError, type Scn } from "../artifact/mod.ts";
import { type Candidate, type Choice, choose, type Listing } from "../manager/mod.ts";
import { describeError } from "../manager/describe_error.ts";
import { verifyCandidate } from "../manager/artifacts/verify_candidate.ts";
import { listDirectories } from "./scan/list_directories.ts";
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

/** Not for this host, or not for now: no trouble, since a build for others may be in the same folder. */
const NO_TROUBLE: ReadonlySet<string> = new Set([
  "platform",
  "runtime",
  "future",
  "outdated",
  "incomplete",
]);

/**
 * Looks at what a daemon of these options would load, as it would, but for running it: folders are
 * listed, artifacts are read and verified.
 *
 * What is remembered of an earlier process, rollbacks and freezes, is not looked at, only whether its
 * folder can be used; that a daemon has it at the moment is no trouble.
 *
 * @throws {HotplugError} `options` where one is out of its range.
 */
export async function checkDaemon(options: DaemonOptions): Promise<DaemonCheck> {
  const resolved = resolveDaemonOptions(options);
  const folders: CheckedFolder[] = [];
  const listings: Listing[] = [];
  for (const directory of resolved.watch) {
    const { listed, folder } = await lookAt(directory, resolved);
    folders.push(folder);
    listings.push(...listed);
  }
  const choices = choose(listings, {
    options: resolved.manager,
    currentScn: () => undefined,
    now: Date.now(),
    isThorough: true,
  });
  const plugins: CheckedPlugin[] = [];
  for (const choice of [...choices.values()].sort((a, b) => a.name < b.name ? -1 : 1)) {
    plugins.push(await checkPlugin(choice, resolved));
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
  { manager }: ResolvedDaemonOptions,
): Promise<CheckedPlugin> {
  const refused: CheckRefusal[] = [];
  for (const candidate of candidates) {
    const path = pathOf(candidate);
    try {
      await verifyCandidate(path, manager);
      const newer = skips.filter(({ parts }) => parts.scn > candidate.parts.scn);
      return { name, scn: candidate.parts.scn, path, refused: [...skipped(newer), ...refused] };
    } catch (error) {
      if (!(error instanceof HotplugError)) throw error;
      refused.push({ path, code: error.code, message: error.message });
    }
  }
  return { name, refused: [...skipped(skips), ...refused] };
}

/** Of what lies below the floor the newest is enough: there may be thousands. */
function skipped(skips: Choice["skips"]): CheckRefusal[] {
  const outdated = skips.find(({ refusal }) => refusal.code === "outdated");
  const told = skips.filter((each) => each === outdated || each.refusal.code !== "outdated");
  return told.map(({ directory, file, refusal: { code, reason } }) => {
    return { path: join(directory, file), code, message: `Cannot open "${file}": ${reason}` };
  });
}

function pathOf({ directory, file }: Candidate): string {
  return join(directory, file);
}
