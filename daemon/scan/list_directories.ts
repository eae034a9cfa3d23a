import { join, relative, SEPARATOR } from "@std/path";
import type { Listing } from "../../manager/mod.ts";
import { isTemporaryName } from "./temporary_name.ts";

/** How folders are listed. */
export interface ListOptions {
  /** Whether what lies in folders of these folders is listed too. */
  readonly recursive: boolean;
  /** Whether a directory may be listed at one go: one that can't keep the process waiting. */
  readonly isLocal?: (directory: string) => boolean;
  /** Told of a folder that can't be listed. */
  readonly failed: (directory: string, error: unknown) => void;
  /** Told of a named pipe, and of a link that leads to one. */
  readonly pipe?: (path: string) => void;
  /** Whether links in a directory are followed to look for pipes; in any case where folders are. */
  readonly follows?: (directory: string) => boolean;
}

/**
 * Lists the directories; one that is not there, or can't be read, has no listing.
 *
 * Recursively, a link to a folder is followed as long as it ends in the directory that it is found
 * below, and each folder is listed once. Folders whose names begin with a dot are left out.
 */
export async function listDirectories(
  directories: readonly string[],
  options: ListOptions,
): Promise<Listing[]> {
  const walks = await Promise.all(directories.map(async (directory) => {
    const listings: Listing[] = [];
    const root = options.recursive ? await realPath(directory) : undefined;
    await list(directory, { ...options, listings, root, seen: new Set(root && [root]) });
    return listings;
  }));
  return walks.flat();
}

interface Walk extends ListOptions {
  readonly listings: Listing[];
  /** The real path of the directory that the walk began in; undefined where folders are left out. */
  readonly root: string | undefined;
  /** The real paths of the folders that were listed. */
  readonly seen: Set<string>;
}

async function list(directory: string, walk: Walk): Promise<void> {
  let files: string[];
  const folders: string[] = [];
  const follows = walk.root !== undefined || walk.follows?.(directory) === true;
  try {
    const listed = await readAll(directory, walk);
    files = listed.files;
    for (const { name, isDirectory, isSymlink } of listed.others) {
      const path = join(directory, name);
      const end = !isDirectory && (!isSymlink || follows) ? await endOf(path) : undefined;
      if (end?.isFifo) walk.pipe?.(path);
      if ((isDirectory || end?.isDirectory) && !isTemporaryName(name)) folders.push(path);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) walk.failed(directory, error);
    return;
  }
  walk.listings.push({ directory, files });
  if (walk.root === undefined) return;
  for (const folder of folders.sort()) {
    const real = await realPath(folder, walk.failed);
    if (real === undefined || walk.seen.has(real) || !isInside(real, walk.root)) continue;
    walk.seen.add(real);
    await list(folder, walk);
  }
}

/** What lies in a directory. */
interface Listed {
  /** The names of all. */
  readonly files: string[];
  /** What is no regular file. */
  readonly others: Deno.DirEntry[];
}

/** Most of the time of a long listing goes into waiting for each name, where that is done. */
async function readAll(directory: string, { isLocal }: Walk): Promise<Listed> {
  if (isLocal?.(directory)) return split(Deno.readDirSync(directory));
  // Half the time of node's readdir.
  return split(await Array.fromAsync(Deno.readDir(directory)));
}

/** By itself, and not async: ten thousand turns of an async function's loop take twice as long. */
function split(entries: Iterable<Deno.DirEntry>): Listed {
  const [files, others]: [string[], Deno.DirEntry[]] = [[], []];
  for (const entry of entries) {
    files.push(entry.name);
    if (!entry.isFile) others.push(entry);
  }
  return { files, others };
}

/** What it is, or a link leads to; undefined where that is nothing. */
async function endOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch {
    return undefined;
  }
}

async function realPath(
  path: string,
  failed?: ListOptions["failed"],
): Promise<string | undefined> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    // So deep that no path leads there, for one.
    if (!(error instanceof Deno.errors.NotFound)) failed?.(path, error);
    return undefined;
  }
}

function isInside(path: string, root: string): boolean {
  const inside = relative(root, path);
  return inside !== ".." && !inside.startsWith(`..${SEPARATOR}`);
}
