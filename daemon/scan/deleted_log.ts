import { lstat, stat } from "node:fs/promises";
import { dirname, join } from "@std/path";
import type { Scn } from "../../artifact/mod.ts";
import type { Choice, PluginManager } from "../../manager/mod.ts";
import type { DaemonState } from "../state/daemon_state.ts";
import { keptOf } from "../state/state_record.ts";
import type { DeletedEvent } from "../events.ts";

/** What is current of a plugin, and where its artifact was found. */
export interface Source {
  /** The plugin's name. */
  readonly name: string;
  /** Its sequence change number. */
  readonly scn: Scn;
  /** The artifact's path in its watched folder. */
  readonly path: string;
  /** The watched folder, where it still is one. */
  readonly root: string | undefined;
}

/** Where what is current was found; what was reopened lies elsewhere. */
export function sourcesOf(
  manager: Pick<PluginManager, "names" | "current">,
  state: DaemonState | undefined,
  rootOf: (path: string) => string | undefined,
): Source[] {
  return manager.names().flatMap((name) => {
    const { scn, path } = manager.current(name) ?? {};
    if (scn === undefined || path === undefined) return [];
    const kept = state && keptOf(state.record(name)).find((each) => each.scn === scn);
    const found = kept?.path ?? path;
    return { name, scn, path: found, root: rootOf(found) };
  });
}

/** How long something newer may take to load before it is told what is gone, in milliseconds. */
const PATIENCE = 1_000;

/** Tells of each artifact that is current and gone from its folder, once. */
export class DeletedLog {
  /** What is gone, since when, in milliseconds of `performance.now()`. */
  #gone = new Map<string, number>();
  #told = new Set<string>();

  /** The events for what is gone; the choices are what was found in the folders. */
  async news(sources: readonly Source[], choices: Map<string, Choice>): Promise<DeletedEvent[]> {
    const looks = await Promise.all(
      sources.map(async (source) => isFound(source, choices) ? "there" : await lookAt(source)),
    );
    // Of what lies in a folder that is away nothing can be said.
    const { gone: missing = [], away = [] } = Object.groupBy(
      sources,
      (_, index) => looks[index] as Look,
    );
    const now = performance.now();
    this.#gone = new Map(missing.map(({ path }) => [path, this.#gone.get(path) ?? now]));
    // Whoever puts a new folder in the place of one takes the old artifact away with it: no news, if the new
    // one loads.
    const isReplaced = ({ name, path }: Source): boolean =>
      (choices.get(name)?.candidates.length ?? 0) > 0 &&
      now - (this.#gone.get(path) ?? now) < PATIENCE;
    const over = missing.filter((source) => this.#told.has(source.path) || !isReplaced(source));
    const news = over.filter(({ path }) => !this.#told.has(path));
    const still = away.filter(({ path }) => this.#told.has(path));
    this.#told = new Set([...over, ...still].map(({ path }) => path));
    const time = new Date().toISOString();
    return news.map(({ root: _, ...source }) => ({ type: "deleted", time, ...source }));
  }
}

/** Where an artifact is: in its place, or gone from it, or away with its folder. */
type Look = "there" | "gone" | "away";

/** Saves a look at the disk for each. */
function isFound({ name, path }: Source, choices: Map<string, Choice>): boolean {
  const twins = choices.get(name)?.twins ?? [];
  return twins.some(({ directory, file }) => join(directory, file) === path);
}

const MISSING: ReadonlySet<unknown> = new Set(["ENOENT", "ENOTDIR"]);

/** That a whole watched folder is gone, or what a link in its place leads to, is told of the folder. */
async function lookAt({ path, root = dirname(path) }: Source): Promise<Look> {
  try {
    await lstat(path);
    return "there";
  } catch (error) {
    if (!await isFolder(root)) return "away";
    // A file may be in the place of a folder on the way to it.
    return MISSING.has((error as { code?: unknown }).code) ? "gone" : "there";
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
