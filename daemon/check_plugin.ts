import { basename, dirname, join } from "@std/path";
import { type ErrorCode, HotplugError, type Scn } from "../artifact/mod.ts";
import { locate } from "../manager/artifacts/locate.ts";
import { Approvals } from "../manager/opening/approvals.ts";
import { markOf, unsettledFor } from "../manager/opening/settle.ts";
import type { Candidate, Choice } from "../manager/mod.ts";
import {
  type Verified,
  verifyCandidate,
  verifyReopened,
  verifyTwin,
} from "../manager/opening/verify_candidate.ts";
import { type KeptOut, whyKeptOut } from "./kept_out.ts";
import { DAMAGED } from "./loading/reopen.ts";
import { storedPath } from "./state/artifact_store.ts";
import {
  inQuarantine,
  isSuspect,
  type KeptGeneration,
  keptOf,
  type PluginRecord,
  reopenedOf,
} from "./state/state_record.ts";
import type { ResolvedDaemonOptions } from "./options.ts";

/** Why an artifact would not be loaded. */
export interface CheckRefusal {
  /** The artifact. */
  readonly path: string;
  /** What is the matter, as a stable word. */
  readonly code: ErrorCode;
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

/** What there is of a plugin, and whether that is as it should be. */
export interface PluginCheck {
  /** What there is. */
  readonly plugin: CheckedPlugin;
  /** Whether nothing is the matter with it. */
  readonly isFine: boolean;
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

/** A version that would be loaded, and from where. */
interface Opened extends Verified {
  readonly path: string;
}

/**
 * Looks at a plugin in the order of a start: what was current is reopened, or what was before it, and then
 * what is newer is loaded.
 */
export async function checkPlugin(
  { name, candidates, skips }: Choice,
  record: PluginRecord,
  options: ResolvedDaemonOptions,
  roots: ReadonlyMap<string, string>,
): Promise<PluginCheck> {
  const { running, faults } = await reopened(name, record, options, roots);
  const approvals = new Approvals(options.manager.approve);
  const [newest] = keptOf(record);
  if (newest) approvals.remember(name, newest);
  const refused: CheckRefusal[] = [];
  let isFine = true;
  let opened = running;
  for (const candidate of candidates) {
    const { scn } = candidate.parts;
    if (scn <= (running?.scn ?? 0)) break;
    const path = pathOf(candidate);
    const out = whyKeptOut(record, scn);
    if (out) {
      isFine &&= NO_TROUBLE.has(out.code);
      // What holds for one version holds for all before it as well: the newest is enough.
      const isNews = out.code === "quarantined" || refused.every(({ code }) => code !== out.code);
      if (isNews) refused.push(refusal(path, out));
      continue;
    }
    if (isSuspect(record, scn)) {
      isFine = false;
      refused.push(suspected(path));
      continue;
    }
    try {
      const demands = { root: roots.get(dirname(path)), approvals, running };
      opened = { ...await verifyCandidate(path, options.manager, demands), path };
      break;
    } catch (error) {
      const fault = faultAt(path, error);
      refused.push(fault);
      isFine &&= fault.code === "approval-required";
    }
  }
  const conflicts = opened ? await conflictsWith(opened, candidates, options, roots) : [];
  const newer = opened ? skips.filter(({ parts }) => parts.scn > opened.scn) : skips;
  // Who has something newer does without what was.
  const isMissed = (opened?.scn ?? 0) <= (record.current?.scn ?? 0);
  const all = onceEach([...skipped(newer), ...refused, ...conflicts, ...isMissed ? faults : []]);
  isFine &&= conflicts.length === 0 &&
    newer.every(({ refusal: { code } }) => NO_TROUBLE.has(code)) &&
    !(isMissed && faults.length > 0);
  const plugin = { name, ...(opened && { scn: opened.scn, path: opened.path }), refused: all };
  return { plugin, isFine };
}

/** What would be reopened of what was current and before, and why what was tried before that would not. */
async function reopened(
  name: string,
  record: PluginRecord,
  { manager, state }: ResolvedDaemonOptions,
  roots: ReadonlyMap<string, string>,
): Promise<{ readonly running?: Opened; readonly faults: readonly CheckRefusal[] }> {
  const faults: CheckRefusal[] = [];
  for (const kept of reopenedOf(record)) {
    const condemned = inQuarantine(record, kept.scn) && whyKeptOut(record, kept.scn);
    if (condemned) {
      faults.push(refusal(kept.path, condemned));
      continue;
    }
    if (isSuspect(record, kept.scn)) {
      faults.push(suspected(kept.path));
      continue;
    }
    for (const path of placesOf(name, kept, state)) {
      try {
        const demands = { sha256: kept.sha256, root: roots.get(dirname(path)) };
        const running = { ...await verifyReopened(path, manager, demands), path };
        return { running, faults };
      } catch (error) {
        const fault = faultAt(path, error);
        faults.push(fault);
        if (!DAMAGED.has(fault.code)) break;
      }
    }
  }
  return { faults };
}

/** What has the SCN of what would be current, and other content: that would be told of, and stay out. */
async function conflictsWith(
  { scn, path: opened, sha256 }: Opened,
  candidates: readonly Candidate[],
  { manager }: ResolvedDaemonOptions,
  roots: ReadonlyMap<string, string>,
): Promise<CheckRefusal[]> {
  const conflicts: CheckRefusal[] = [];
  const atHand = { sha256, artifact: locate(opened).parts };
  for (const candidate of candidates) {
    const path = pathOf(candidate);
    if (candidate.parts.scn !== scn || path === opened) continue;
    try {
      const mark = candidate.bare && await markOf(path);
      // It may be half copied: that would pass for a conflict.
      if (mark && unsettledFor(mark, manager.bareSettle, Date.now()) > 0) continue;
      await verifyTwin(path, manager, { root: roots.get(dirname(path)), atHand });
    } catch (error) {
      const fault = faultAt(path, error);
      // What else is the matter with it does not matter: it is not needed.
      if (fault.code === "conflict") conflicts.push(fault);
    }
  }
  return conflicts;
}

/** What was loading as the process ended may end the next one too: nothing but a try tells. */
function suspected(path: string): CheckRefusal {
  return {
    path,
    code: "crashed",
    message:
      `Cannot tell whether "${basename(path)}" would be loaded: the process ended while it was; ` +
      "a start tries it once more, last and with preflight",
  };
}

/** The store, and where it is damaged or not there, where it was found. */
function placesOf(name: string, kept: KeptGeneration, state: string | undefined): string[] {
  const path = state === undefined ? kept.path : storedPath(state, name, kept);
  if (!isFile(path, Deno.lstatSync)) return [kept.path];
  return path !== kept.path && isFile(kept.path) ? [path, kept.path] : [path];
}

function isFile(path: string, look = Deno.statSync): boolean {
  try {
    return look(path).isFile;
  } catch {
    return false;
  }
}

function faultAt(path: string, error: unknown): CheckRefusal {
  if (!(error instanceof HotplugError)) throw error;
  return { path, code: error.code, message: error.message };
}

/** Of what lies below the floor the newest is enough: there may be thousands. */
function skipped(skips: Choice["skips"]): CheckRefusal[] {
  const outdated = skips.find(({ refusal }) => refusal.code === "outdated");
  const told = skips.filter((each) => each === outdated || each.refusal.code !== "outdated");
  return told.map((each) => refusal(pathOf(each), each.refusal));
}

/** What lies in the store as well as in its folder has the same fault there. */
function onceEach(refusals: readonly CheckRefusal[]): CheckRefusal[] {
  return [...new Map(refusals.toReversed().map((each) => [each.message, each])).values()].reverse();
}

function refusal(
  path: string,
  { code, reason }: KeptOut,
): CheckRefusal {
  return { path, code, message: `Cannot open "${basename(path)}": ${reason}` };
}

function pathOf({ directory, file }: Pick<Candidate, "directory" | "file">): string {
  return join(directory, file);
}
