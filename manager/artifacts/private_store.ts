import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, SEPARATOR, toFileUrl } from "@std/path";
import { HotplugError, PLACED_SOURCE_MAP, type Scn } from "../../artifact/mod.ts";
import { copyExecutable } from "./copy_executable.ts";
import { openPrivateRoot, type PrivateRoot } from "./private_root.ts";
import type { Location } from "./locate.ts";
import type { ReadArtifact } from "./read_artifact.ts";

/** A folder for one load. */
export interface PrivateFolder {
  /** Its path; there once the folder is made. */
  readonly directory: Promise<string>;
  /** What tells its load from others of the same name and SCN. */
  readonly ordinal: number;
}

/** A verified module at the place that it is loaded from. */
export interface PlacedModule {
  /** URL of the folder, with a slash at the end. */
  readonly directoryUrl: string;
  /** URL to import. */
  readonly url: string;
}

/** Up to so many bytes are written at once. */
const SMALL = 512 * 1024;

/** Nothing is overwritten, and nobody else reads it. */
const NEW = { createNew: true, mode: 0o600 };

/** How long after its start a store sweeps, in milliseconds: what loads first need not share the disk. */
const SWEEP_AFTER = 1_000;

/**
 * A private folder for verified bytes, so that what was verified is what runs.
 *
 * Each generation has a folder of its own, `NAME@SCN-N`: the frames of its stack traces lie below
 * it (source maps included), which tells whose error one is. The folder goes with its owner; see
 * {@linkcode openPrivateRoot}.
 */
export class PrivateStore {
  #root: Promise<PrivateRoot> | undefined;
  #isLost = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed: Promise<void> | undefined;

  /** Makes the folder that all others lie in; what keeps it from that is told by who places something. */
  async prepare(): Promise<void> {
    if (!this.#closed) await this.#openRoot().catch(() => {});
  }

  /** Begins to make a folder: that takes as long as reading an artifact, and need not wait for it. */
  reserve(name: string, scn: Scn, ordinal: number): PrivateFolder {
    const directory = this.#make(`${name}@${scn}-${ordinal}`);
    // Whoever places something hears of the failure; until then it is not unhandled.
    directory.catch(() => {});
    return { directory, ordinal };
  }

  /** Writes the content and its source map into the folder. */
  async place(folder: PrivateFolder, artifact: ReadArtifact, scn: Scn): Promise<PlacedModule> {
    const directory = await folder.directory;
    const path = join(directory, `${artifact.sha256}.mjs`);
    const { sourceMap } = artifact;
    // Both to their end, or the folder would be removed while one is being written.
    const written = await Promise.allSettled([
      // Larger than its module as a rule, and on its way while that is written and looked at.
      sourceMap && Deno.writeFile(join(directory, PLACED_SOURCE_MAP), sourceMap, NEW),
      write(path, artifact.content),
    ]);
    for (const each of written) if (each.status === "rejected") throw cannotPlace(each.reason);
    return {
      directoryUrl: toFileUrl(directory + SEPARATOR).href,
      url: `${toFileUrl(path).href}?scn=${scn}&g=${folder.ordinal}`,
    };
  }

  /** Copies an executable into the folder, and checks it on the way. */
  async placeExecutable(
    folder: PrivateFolder,
    location: Location,
    { info }: Pick<ReadArtifact, "info">,
  ): Promise<PlacedModule> {
    const directory = await folder.directory;
    if (!info) throw new TypeError("An executable without an info file was read");
    const path = join(directory, location.parts.os === "windows" ? "plugin.exe" : "plugin");
    await copyExecutable(location, info.artifact, path);
    return { directoryUrl: toFileUrl(directory + SEPARATOR).href, url: toFileUrl(path).href };
  }

  async #make(name: string): Promise<string> {
    for (let first = true;; first = false) {
      const opening = this.#openRoot();
      try {
        const directory = join((await opening).path, name);
        // Synchronous, as the reading of small files: a thread's detour takes far longer.
        Deno.mkdirSync(directory, { mode: 0o700 });
        return directory;
      } catch (cause) {
        if (!first || !(cause instanceof Deno.errors.NotFound)) throw cannotPlace(cause);
        // Systems that run for long clean their temporary folder up, what is in use included.
        await this.#forget(opening);
      }
    }
  }

  /** Gives a root up that is gone, unless another load has done so. */
  async #forget(root: Promise<PrivateRoot>): Promise<void> {
    if (this.#root !== root) return;
    this.#root = undefined;
    this.#isLost = true;
    (await root).forget();
  }

  #openRoot(): Promise<PrivateRoot> {
    if (this.#root) return this.#root;
    // What took the place of a lost one must not be taken for it.
    const root = openPrivateRoot({ isNew: this.#isLost });
    root.then((opened) => {
      if (this.#closed) return;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void opened.sweep(), SWEEP_AFTER);
      Deno.unrefTimer(this.#timer);
    }, () => {
      // A full disk may pass: the next load tries again.
      this.#root = undefined;
    });
    return this.#root = root;
  }

  /** Removes the folder with all in it. */
  async remove(folder: PrivateFolder): Promise<void> {
    const directory = await folder.directory.catch(() => undefined);
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  }

  /** Removes the folder and all in it. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    const root = await this.#root?.catch(() => undefined);
    clearTimeout(this.#timer);
    if (!root) return;
    await root.sweep();
    await root.close();
  }
}

function cannotPlace(cause: unknown): HotplugError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HotplugError(
    "io",
    `Cannot place what was verified in "${tmpdir()}": ${why}; see that this folder ` +
      "is there, has space and can be written to, or name another one with TMPDIR",
    { cause },
  );
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  if (bytes.length <= SMALL) Deno.writeFileSync(path, bytes, NEW);
  else await Deno.writeFile(path, bytes, NEW);
}
