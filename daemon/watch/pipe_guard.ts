import { dirname, join } from "@std/path";
import { crowdedFolders } from "./crowded_folders.ts";
import type { DirectoryWatch } from "./directory_watch.ts";
import { listDirectories } from "../scan/list_directories.ts";
import { PipeHolds } from "./pipe_holds.ts";
import { LOCK } from "../state/state_folder.ts";
import { WatchPulse } from "./watch_pulse.ts";

/** What a {@linkcode PipeGuard} guards. */
export interface GuardedWatches {
  /** All of them. */
  watches(): readonly DirectoryWatch[];
  /** That of a folder. */
  watchOf(folder: string): DirectoryWatch | undefined;
}

/**
 * So many pipes are kept open, in all folders: more than anybody has there with a purpose, and few beside
 * the 1,024 files that a process may have open at the least.
 */
const MOST = 64;
/** And so many while a watch is taken back: less than half of what macOS, with the least, allows. */
const MOST_AT_ONCE = 4_000;
/** So long nobody waits for an answer to that who closes, in milliseconds. */
const CLOSING_MS = 3_000;
/** How often it is looked whether Deno still tells of changes, in milliseconds. */
const BEAT_EACH = 1_000;
/** Deno takes watches back in a later turn; so long one may still wait at a pipe, in milliseconds. */
const WATCHES_GONE = 100;

/**
 * Sees to it that watches don't wait at named pipes, and that nobody waits for one that does.
 *
 * Pipes are kept open, and folders with too many of them are polled. Where a pipe can't be kept open, or one
 * was gone before it could be, all watches are left as they are and their folders are polled: to set a watch
 * or to take one back would hold up the process.
 */
export class PipeGuard {
  readonly #guarded: GuardedWatches;
  readonly #holds = new PipeHolds();
  readonly #pulse: WatchPulse | undefined;
  /** The folders that are polled, for their pipes. */
  #crowded: ReadonlySet<string> = new Set();
  #beatAt: number | undefined;
  /** Why watches can't be taken back any more, nor others set, where that is so. */
  #stuck: string | undefined;
  #closing = false;

  /** Guards these; with a state folder, which is there when pipes are told of first. */
  constructor(state: string | undefined, guarded: GuardedWatches) {
    this.#guarded = guarded;
    // Where it is known what is told.
    const canBe = state !== undefined && Deno.build.os === "linux";
    this.#pulse = canBe ? new WatchPulse(join(state, LOCK)) : undefined;
  }

  /** Why no watch is to be set on a folder, where that is so. */
  whyAvoid(folder: string): string | undefined {
    if (this.#stuck !== undefined || !this.#crowded.has(folder)) return this.#stuck;
    return `named pipes lie in "${folder}", more than ${MOST} together with those of other ` +
      "folders; remove them";
  }

  /** Whether what is done about watches now holds up nothing. */
  async responds(): Promise<boolean> {
    // Before pipes were told of first the state folder may be another daemon's.
    if (this.#stuck !== undefined || this.#beatAt === undefined) return true;
    return await this.#pulse?.beats() ?? true;
  }

  /** Notes that a change was told. */
  told(): void {
    this.#pulse?.told();
  }

  /** Lets no watch wait at these, which are all pipes that lie in the folders. */
  async keep(paths: readonly string[]): Promise<void> {
    if (this.#stuck !== undefined) return;
    const near = paths.filter((path) => !this.#watchAt(path)?.isRemote);
    const before = this.#crowded;
    const crowded = this.#crowded = crowdedFolders(near, MOST);
    const leaving = near.filter((path) =>
      crowded.has(dirname(path)) && this.#watchAt(path)?.watched
    );
    const staying = near.filter((path) => !crowded.has(dirname(path)));
    const back = [...before].filter((folder) => !crowded.has(folder));
    // Watches are taken back while nothing can keep one waiting.
    const why = this.#hold([...staying, ...leaving]);
    if (why !== undefined) return await this.#giveUp(why);
    const isDue = performance.now() - (this.#beatAt ?? -Infinity) > BEAT_EACH;
    if (isDue || leaving.length + back.length > 0) {
      this.#beatAt = performance.now();
      if (!await this.responds()) return await this.#giveUp(DEAF);
    }
    if (leaving.length > 0) {
      await this.#reset(new Set(leaving.map((path) => dirname(path))));
      await later(WATCHES_GONE);
      if (this.#closing) return;
      this.#hold(staying);
    }
    await this.#reset(back);
  }

  /** Sees to it that all watches can be taken back, or are left alone. */
  async prepareClose(isLocal: (folder: string) => boolean): Promise<void> {
    this.#closing = true;
    const watches = this.#guarded.watches();
    const folders = watches.flatMap(({ watched }) => watched ?? []);
    if (folders.length === 0) return;
    const pipes = this.#holds.paths;
    await listDirectories(folders, {
      recursive: false,
      follows: () => true,
      isLocal,
      pipe: (path) => void pipes.push(path),
      failed: () => {}, // what can't be listed is gone
    });
    // Where so much is told at the moment that this takes long, nobody is to wait for it.
    const late = setTimeout(() => this.#pulse?.giveUp(), CLOSING_MS);
    const isFree = this.#hold(pipes) === undefined && await this.responds();
    clearTimeout(late);
    if (isFree) return;
    this.#stuck = DEAF;
    for (const each of watches) each.abandon();
  }

  /** Lets go of all; once the watches are closed. */
  async close(): Promise<void> {
    if (this.#stuck === undefined) this.#pulse?.[Symbol.dispose]();
    // For who comes next to the same folders, too.
    await later(this.#holds.paths.length > 0 ? WATCHES_GONE : 0);
    this.#holds[Symbol.dispose]();
  }

  #watchAt(path: string): DirectoryWatch | undefined {
    return this.#guarded.watchOf(dirname(path));
  }

  /** Answers with why not all that Deno may wait at can be opened, where that is so. */
  #hold(pipes: readonly string[]): string | undefined {
    const failed = pipes[MOST_AT_ONCE] ?? this.#holds.keep(pipes);
    return failed === undefined
      ? undefined
      : `Deno may wait at the named pipe "${failed}", which can't be opened; remove it, and restart`;
  }

  async #reset(folders: Iterable<string>): Promise<void> {
    await Promise.all([...folders].map((each) => this.#guarded.watchOf(each)?.reset()));
  }

  async #giveUp(why: string): Promise<void> {
    this.#stuck = why;
    const watches = this.#guarded.watches();
    for (const each of watches) each.abandon();
    await Promise.all(watches.map((each) => each.reset()));
    this.#holds[Symbol.dispose]();
  }
}

const DEAF = "Deno tells of no changes any more, as where a named pipe came and went; restart";

async function later(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
