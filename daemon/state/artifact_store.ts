import { join } from "@std/path";
import { describeError } from "../../manager/describe_error.ts";
import type { KeptGeneration } from "./state_record.ts";
import { flushFolder, writeFlushed } from "./write_atomically.ts";

/** The bytes of one generation as they were verified. */
export interface GenerationBytes {
  /** What was read, by file name; without the artifact itself where that is an executable. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** Where the artifact lies, to be copied from there if its bytes are not at hand. */
  readonly path: string;
  /** Since when it has been there, if that is not now: a version that is kept again is no newer for it. */
  readonly since?: Date;
}

/** Its name, in a state folder. */
const STORE = "store";
const UNFINISHED = ".new-";
/** What is named otherwise is not the store's, and never removed. */
const OWN = /^(?:\.new-)?[^@]+@\d{14}-[0-9a-f]{16}$/;

/**
 * Keeps artifacts as they were published, each in a folder of its own: `NAME@SCN-DIGEST`.
 *
 * What is in it is checked as every artifact is when it is opened; so a folder that is there is whole,
 * since it is made under another name and renamed, but need not be believed.
 */
export class ArtifactStore {
  readonly #folder: string;
  /** The folders whose bytes are not what was kept. */
  readonly #doubted = new Set<string>();
  /** Where artifacts were found at first that were opened from here, by their paths here. */
  readonly #found = new Map<string, string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Opens the store of a state folder, and removes what was not finished. */
  static async open(state: string): Promise<ArtifactStore> {
    const store = new ArtifactStore(assertStore(state));
    store.makeThere();
    await store.#removeAll((name) => name.startsWith(UNFINISHED));
    return store;
  }

  /**
   * Makes its folder where that is gone: whoever cleans up has no idea of what it is for.
   *
   * @throws {Error} Where something else is there.
   */
  makeThere(): void {
    try {
      assertOwn(this.#folder);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      // Not with all above it: a state folder that is gone is not this daemon's to make again.
      Deno.mkdirSync(this.#folder, { mode: 0o700 });
    }
  }

  /** Notes that an artifact was opened from its place in the store, and where it was found at first. */
  opened(path: string, found: string): void {
    this.#found.set(path, found);
  }

  /** Where an artifact was found that was opened from a path: that itself, unless it was in the store. */
  foundAt(path: string): string {
    return this.#found.get(path) ?? path;
  }

  /** Where the artifact of a generation lies, or would. */
  pathOf(name: string, generation: KeptGeneration): string {
    return pathIn(this.#folder, name, generation);
  }

  /** Whether a generation is kept, and nothing speaks against its bytes. */
  has(name: string, generation: KeptGeneration): boolean {
    if (this.#doubted.has(folderOf(name, generation))) return false;
    try {
      // In no time, so that those that are reopened together are noted in the journal together.
      return Deno.lstatSync(this.pathOf(name, generation)).isFile;
    } catch {
      return false;
    }
  }

  /** Believes no more in what is kept of a generation: it stays until others take its place. */
  doubt(name: string, generation: KeptGeneration): void {
    this.#doubted.add(folderOf(name, generation));
  }

  /** Keeps a generation; resolves once it is on the disk. */
  async keep(name: string, generation: KeptGeneration, bytes: GenerationBytes): Promise<void> {
    if (this.has(name, generation)) return;
    assertOwn(this.#folder);
    const final = folderOf(name, generation);
    const temporary = join(this.#folder, `${UNFINISHED}${final}`);
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
    try {
      await Deno.mkdir(temporary, { mode: 0o700 });
      for (const [file, content] of bytes.files) {
        await writeFlushed(join(temporary, file), content);
      }
      if (!bytes.files.has(generation.file)) {
        await copyFlushed(bytes.path, join(temporary, generation.file));
      }
      if (bytes.since) {
        await Deno.utime(join(temporary, generation.file), bytes.since, bytes.since);
      }
      // What is there is damaged, and would be in the way for good.
      await removeIfThere(join(this.#folder, final));
      await Deno.rename(temporary, join(this.#folder, final));
      this.#doubted.delete(final);
      await flushFolder(this.#folder);
    } catch (error) {
      await Deno.remove(temporary, { recursive: true }).catch(() => {});
      throw error;
    }
  }

  /** Removes all but the generations, given by the names of their plugins. */
  async prune(kept: Iterable<readonly [name: string, generation: KeptGeneration]>): Promise<void> {
    const folders = new Set([...kept].map(([name, generation]) => folderOf(name, generation)));
    for (const each of this.#doubted) if (!folders.has(each)) this.#doubted.delete(each);
    await this.#removeAll((name) => !folders.has(name));
  }

  async #removeAll(isOver: (folder: string) => boolean): Promise<void> {
    assertOwn(this.#folder);
    for (const { name } of Deno.readDirSync(this.#folder)) {
      if (!OWN.test(name) || !isOver(name)) continue;
      await removeIfThere(join(this.#folder, name)).catch((error) => {
        throw new Error(`Cannot remove "${name}" from the store: ${describeError(error)}`);
      });
    }
  }
}

/** Where the store of a state folder lies. */
export function storeOf(state: string): string {
  return join(state, STORE);
}

/**
 * Asserts that the store of a state folder can be used, or made; answers with its path.
 *
 * @throws {Error} Where something else is there.
 */
export function assertStore(state: string): string {
  const folder = storeOf(state);
  try {
    assertOwn(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return folder;
}

/** A link may lead to a folder of somebody else's, in which nothing is to be made or removed. */
function assertOwn(folder: string): void {
  const { isSymlink, isDirectory } = Deno.lstatSync(folder);
  if (isSymlink) throw new Error(`"${folder}" is a link, and no folder of its own; remove it`);
  if (!isDirectory) throw new Error(`"${folder}" is no folder; remove it`);
}

/** Where the artifact of a generation lies in a state folder, if it is kept there. */
export function storedPath(state: string, name: string, generation: KeptGeneration): string {
  return pathIn(storeOf(state), name, generation);
}

function pathIn(store: string, name: string, generation: KeptGeneration): string {
  return join(store, folderOf(name, generation), generation.file);
}

function folderOf(name: string, { scn, sha256 }: KeptGeneration): string {
  return `${name}@${scn}-${sha256.slice(0, 16)}`;
}

async function removeIfThere(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** What comes of it is checked against its info file when it is opened. */
async function copyFlushed(from: string, to: string): Promise<void> {
  await Deno.copyFile(from, to);
  using file = await Deno.open(to, { write: true });
  await file.syncData();
}
