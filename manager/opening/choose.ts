import {
  type ArtifactName,
  comparePreference,
  lockFileName,
  type Scn,
} from "../../artifact/mod.ts";
import { admitter, type Refusal } from "./admit.ts";
import type { ResolvedManagerOptions } from "../settings/options.ts";
import { buildOf, type Entry, readEntry } from "../artifacts/read_entry.ts";

/** One folder and the names of the files in it. */
export interface Listing {
  /** The folder's path. */
  readonly directory: string;
  /** The names of its entries. */
  readonly files: readonly string[];
}

/** An artifact that may be opened. */
export interface Candidate {
  /** The folder that it lies in. */
  readonly directory: string;
  /** Its file name. */
  readonly file: string;
  /** What its file name says. */
  readonly parts: ArtifactName;
  /** Whether it has no info file beside it: then it must have stood still for a while. */
  readonly bare: boolean;
}

/** An artifact that is newer than what is loaded and may not be opened. */
export interface Skip {
  /** The folder that it lies in. */
  readonly directory: string;
  /** Its file name. */
  readonly file: string;
  /** What its file name says. */
  readonly parts: ArtifactName;
  /** Why not. */
  readonly refusal: Refusal;
}

/** What there is of one plugin: in the order in which it is to be opened. */
export interface Choice {
  /** The plugin's name. */
  readonly name: string;
  /** Newest first, exact platform before `any`, module before executable. */
  readonly candidates: readonly Candidate[];
  /** What is not eligible though newer than what is loaded. */
  readonly skips: readonly Skip[];
  /** What has the SCN of the current generation: that itself, and what claims to be it. */
  readonly twins: readonly Candidate[];
}

/** What decides besides the names. */
export interface ChoosePolicy {
  /** How the manager behaves. */
  readonly options: ResolvedManagerOptions;
  /** The SCN of the plugin's current generation; undefined if none is loaded. */
  readonly currentScn: (name: string) => Scn | undefined;
  /** Whether a rollback or a freeze keeps an SCN of the plugin out; by default nothing does. */
  readonly isHeld?: (name: string, scn: Scn) => boolean;
  /** The time, in milliseconds since the epoch. */
  readonly now: number;
  /** How to read a name; one that remembers saves most of the time. */
  readonly readEntry?: (file: string) => Entry;
  /** Whether what is no news is skipped too: what lies below the floor, and what is unfinished. */
  readonly isThorough?: boolean;
}

/**
 * Chooses, by the names alone, what is to be opened of each plugin and in which order.
 *
 * Nothing at or below the current generation's SCN is a candidate, nothing whose lock is there, and
 * nothing that the host can't run. No file is touched.
 */
export function choose(listings: readonly Listing[], policy: ChoosePolicy): Map<string, Choice> {
  const choices = new Map<string, MutableChoice>();
  const admitted = admitter(policy.options, policy.now);
  for (const listing of listings) {
    for (const found of readListing(listing, policy.readEntry ?? readEntry)) {
      const { directory, file, parts, bare } = found;
      if (found.locked && !policy.isThorough) continue;
      const currentScn = policy.currentScn(parts.name) ?? 0;
      if (parts.scn < currentScn) continue;
      // Told when it was held; it waits there until it is released.
      if (parts.scn > currentScn && policy.isHeld?.(parts.name, parts.scn)) continue;
      const refusal = found.locked ?? found.ambiguous ?? admitted(parts);
      // What lies below the floor is no news, as what is older than the loaded one is none.
      if (refusal?.code === "outdated" && !policy.isThorough) continue;
      const choice = choiceOf(choices, parts.name);
      if (refusal) {
        if (parts.scn > currentScn) choice.skips.push({ directory, file, parts, refusal });
      } else {
        const kind = parts.scn > currentScn ? choice.candidates : choice.twins;
        kind.push({ directory, file, parts, bare });
      }
    }
  }
  for (const choice of choices.values()) {
    choice.candidates.sort((a, b) => comparePreference(a.parts, b.parts));
    choice.skips.sort((a, b) => comparePreference(a.parts, b.parts));
  }
  return choices;
}

interface MutableChoice extends Choice {
  readonly candidates: Candidate[];
  readonly skips: Skip[];
  readonly twins: Candidate[];
}

function choiceOf(choices: Map<string, MutableChoice>, name: string): MutableChoice {
  let choice = choices.get(name);
  if (!choice) choices.set(name, choice = { name, candidates: [], skips: [], twins: [] });
  return choice;
}

interface Found extends Candidate {
  readonly locked: Refusal | undefined;
  readonly ambiguous: Refusal | undefined;
}

/** What shares a stem: an artifact as a rule, and its info file. */
interface Stem {
  artifacts: number;
  described: boolean;
}

function readListing({ directory, files }: Listing, read: (file: string) => Entry): Found[] {
  const locked = new Set<string>();
  const stems = new Map<string, Stem>();
  const names = new Set<string>();
  const named: { file: string; parts: ArtifactName; stem: Stem }[] = [];
  for (const file of files) {
    const entry = read(file);
    if (entry.kind === "lock") locked.add(entry.build);
    if (entry.kind === "lock" || entry.kind === "other") continue;
    let stem = stems.get(entry.stem);
    if (!stem) stems.set(entry.stem, stem = { artifacts: 0, described: false });
    if (entry.kind === "info") {
      stem.described = true;
    } else {
      stem.artifacts++;
      names.add(entry.parts.name);
      named.push({ file, parts: entry.parts, stem });
    }
  }
  const spellings = Map.groupBy(names, (name) => name.toLowerCase());
  const clashing = new Map(
    [...names].map((name) => [name, spellings.get(name.toLowerCase()) ?? []]),
  );
  return named.map(({ file, parts, stem: { artifacts, described } }) => ({
    directory,
    file,
    parts,
    bare: !described,
    locked: locked.size > 0 && locked.has(buildOf(parts)) ? unfinished(parts) : undefined,
    ambiguous: ambiguity(
      clashing.get(parts.name) ?? [],
      // With an info file it is clear which of the two is meant; the other fails to agree with it.
      artifacts > 1 && !described,
    ),
  }));
}

function unfinished({ name, scn }: ArtifactName): Refusal {
  const reason =
    `its build has not ended, as its lock "${lockFileName(name, scn)}" says; where that ` +
    "is dead, the next build into the folder removes what it left";
  return { code: "incomplete", reason };
}

function ambiguity(spellings: readonly string[], shared: boolean): Refusal | undefined {
  if (spellings.length > 1) {
    const names = [...spellings].sort().join(", ");
    return { code: "conflict", reason: `names that differ only in case share a folder: ${names}` };
  }
  if (!shared) return undefined;
  return { code: "conflict", reason: "another file has the same stem; one stem has one artifact" };
}
