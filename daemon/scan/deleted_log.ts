import { lstat } from "node:fs/promises";
import { dirname, join } from "@std/path";
import type { Scn } from "../../artifact/mod.ts";
import type { Choice, PluginManager } from "../../manager/mod.ts";
import type { DaemonState } from "../state/daemon_state.ts";
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
    const kept = state?.record(name).current;
    if (scn === undefined || path === undefined) return [];
    const found = kept?.scn === scn ? kept.path : path;
    return { name, scn, path: found, root: rootOf(found) };
  });
}

/** Tells of each artifact that is current and gone from its folder, once. */
export class DeletedLog {
  #told = new Set<string>();

  /** The events for what is gone; the choices are what was found in the folders. */
  async news(sources: readonly Source[], choices: Map<string, Choice>): Promise<DeletedEvent[]> {
    const gone = await Promise.all(
      sources.map(async (source) => !isFound(source, choices) && await isGone(source)),
    );
    const missing = sources.filter((_, index) => gone[index]);
    const news = missing.filter(({ path }) => !this.#told.has(path));
    this.#told = new Set(missing.map(({ path }) => path));
    const time = new Date().toISOString();
    return news.map(({ root: _, ...source }) => ({ type: "deleted", time, ...source }));
  }
}

/** Saves a look at the disk for each. */
function isFound({ name, path }: Source, choices: Map<string, Choice>): boolean {
  const twins = choices.get(name)?.twins ?? [];
  return twins.some(({ directory, file }) => join(directory, file) === path);
}

/** That a whole watched folder is gone is told of the folder. */
async function isGone({ path, root = dirname(path) }: Source): Promise<boolean> {
  return await isMissing(path) && !await isMissing(root);
}

async function isMissing(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    return (error as { code?: unknown }).code === "ENOENT";
  }
}
