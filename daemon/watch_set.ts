import { dirname } from "@std/path";
import { describeError } from "../manager/describe_error.ts";
import { crowdedFolders } from "./crowded_folders.ts";
import { DirectoryWatch, type DirectoryWatchOptions } from "./directory_watch.ts";
import type { WatchEvent } from "./events.ts";
import { listDirectories } from "./list_directories.ts";
import { PipeHolds } from "./pipe_holds.ts";
import type { WatchStatus } from "./status.ts";
import { WatchLog } from "./watch_log.ts";

/** Whom a {@linkcode WatchSet} tells. */
export interface WatchSetListener {
  /** Something may have changed. */
  hint(): void;
  /** How the watching of a directory stands has changed. */
  emit(event: WatchEvent): void;
}

/** How a {@linkcode WatchSet} goes about it. */
export interface WatchSetOptions extends DirectoryWatchOptions {
  /** The directories, as absolute paths. */
  readonly watch: readonly string[];
  /** Time between two looks whether a folder is still the same one, in milliseconds. */
  readonly rootCheck: number;
}

type State = WatchEvent["state"];

/** The gravest one of a directory's folders is its own. */
const GRAVITY: Record<State, number> = { watching: 0, polling: 1, error: 2, missing: 3 };

/** The watches of all directories, and of the folders in them where they are watched recursively. */
export class WatchSet {
  readonly #options: WatchSetOptions;
  readonly #listener: WatchSetListener;
  readonly #log = new WatchLog();
  readonly #roots: readonly DirectoryWatch[];
  /** Those of folders in the directories, by path. */
  readonly #folders = new Map<string, { readonly root: string; readonly watch: DirectoryWatch }>();
  readonly #states = new Map<string, Map<string, Pick<WatchEvent, "state" | "message">>>();
  readonly #pipes = new PipeHolds();
  /** The folders that are polled, for their pipes. */
  #crowded: ReadonlySet<string> = new Set();
  /** The pipe for which watches can't be taken back any more, nor others set. */
  #stuckAt: string | undefined;
  #closed = false;

  /** Makes watches that have not begun. */
  constructor(options: WatchSetOptions, listener: WatchSetListener) {
    this.#options = options;
    this.#listener = listener;
    this.#roots = options.watch.map((root) => this.#make(root, root));
  }

  /** Begins; resolves once changes in the directories are seen, or known not to be. */
  async start(): Promise<void> {
    await Promise.all(this.#roots.map((each) => each.start(this.#options.rootCheck)));
  }

  /** Looks whether the folders are still those that are watched. */
  async check(): Promise<void> {
    await Promise.all(this.#all().map((each) => each.check()));
  }

  /** Watches, besides the directories, these folders that were found in them, and no others. */
  cover(listed: readonly string[]): void {
    if (this.#closed) return;
    const found = new Set(listed);
    for (const [folder, { root, watch }] of this.#folders) {
      if (found.has(folder)) continue;
      this.#folders.delete(folder);
      this.#states.get(root)?.delete(folder);
      this.#told(root);
      void watch.close();
    }
    for (const folder of found) {
      const root = this.rootOf(folder);
      if (root === undefined || folder === root || this.#folders.has(folder)) continue;
      const watch = this.#make(folder, root);
      this.#folders.set(folder, { root, watch });
      void watch.start(this.#options.rootCheck);
    }
  }

  /** Whether links in a folder may lead to pipes that a watch waits at. */
  follows(folder: string): boolean {
    return !this.#options.alwaysPoll && !this.#watchOf(folder)?.isRemote;
  }

  /**
   * Lets no watch wait at these pipes that lie in the folders: a folder with too many is polled, and all
   * are where one can't be kept open.
   */
  async keepPipes(paths: readonly string[]): Promise<void> {
    if (this.#closed || this.#stuckAt !== undefined || this.#options.alwaysPoll) return;
    const near = paths.filter((path) => this.follows(dirname(path)));
    const before = this.#crowded;
    const crowded = this.#crowded = crowdedFolders(near, MOST_PIPES);
    const leaving = new Set([...crowded].filter((each) => this.#watchOf(each)?.watched));
    const pipesOf = (isOf: (folder: string) => boolean) =>
      near.filter((path) => isOf(dirname(path)));
    if (leaving.size > 0) {
      // Their watches are taken back while nothing can keep one waiting.
      const failed = this.#hold(pipesOf((each) => !crowded.has(each) || leaving.has(each)));
      if (failed !== undefined) return await this.#giveUp(failed);
      await this.#reset(leaving);
      await new Promise((resolve) => setTimeout(resolve, WATCHES_GONE));
      if (this.#closed) return;
    }
    const failed = this.#hold(pipesOf((each) => !crowded.has(each)));
    if (failed !== undefined) return await this.#giveUp(failed);
    await this.#reset(before.difference(crowded));
  }

  /** The directory that a path lies in, the innermost of several. */
  rootOf(path: string): string | undefined {
    return this.#options.watch
      .filter((root) => path === root || path.startsWith(root.replace(/([^\\/])$/, `$1${SLASH}`)))
      .sort((a, b) => b.length - a.length)[0];
  }

  /**
   * Whether a folder is known to lie on a disk of this machine: Linux tells, and what is not told by is
   * polled.
   */
  isLocal(folder: string): boolean {
    const root = this.rootOf(folder);
    if (Deno.build.os !== "linux" || root === undefined) return false;
    return this.#log.status(root).state === "watching";
  }

  /** Notes a folder that could not be listed. */
  unlisted(folder: string, error: unknown): void {
    const root = this.rootOf(folder) ?? folder;
    this.#tell(this.#log.unlisted(root, describeError(error)));
  }

  /** How the watching of the directories stands. */
  status(): WatchStatus[] {
    return this.#options.watch.map((root) => this.#log.status(root));
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#all()];
    // No watch that goes is to wait at a pipe that came a moment ago.
    const pipes: string[] = [];
    await listDirectories(all.flatMap(({ watched }) => watched ?? []), {
      recursive: false,
      follows: () => true,
      isLocal: (folder) => this.isLocal(folder),
      pipe: (path) => void pipes.push(path),
      failed: () => {}, // what can't be listed is gone
    });
    const failed = this.#hold([...this.#pipes.paths, ...pipes]);
    if (failed !== undefined) { for (const each of all) each.abandon(); }
    await Promise.all(all.map((each) => each.close()));
    // Deno takes watches back in a later turn: until then one could wait at a pipe that is let go of.
    if (this.#pipes.paths.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, WATCHES_GONE));
    }
    this.#pipes[Symbol.dispose]();
  }

  #all(): DirectoryWatch[] {
    return [...this.#roots, ...[...this.#folders.values()].map(({ watch }) => watch)];
  }

  #watchOf(folder: string): DirectoryWatch | undefined {
    return this.#folders.get(folder)?.watch ??
      this.#roots[this.#options.watch.indexOf(folder)];
  }

  /** Answers with the first that can't be. */
  #hold(pipes: readonly string[]): string | undefined {
    return pipes[MOST_AT_ONCE] ?? this.#pipes.keep(pipes);
  }

  async #reset(folders: ReadonlySet<string>): Promise<void> {
    await Promise.all([...folders].map((each) => this.#watchOf(each)?.reset()));
  }

  async #giveUp(pipe: string): Promise<void> {
    this.#stuckAt = pipe;
    const all = this.#all();
    for (const each of all) each.abandon();
    await Promise.all(all.map((each) => each.reset()));
    this.#pipes[Symbol.dispose]();
  }

  #whyAvoid(folder: string): string | undefined {
    if (this.#stuckAt !== undefined) {
      return `Deno may wait at a named pipe that can't be kept open ("${this.#stuckAt}"); remove such, ` +
        "and restart";
    }
    if (!this.#crowded.has(folder)) return undefined;
    return `named pipes lie in "${folder}", more than ${MOST_PIPES} together with those of other ` +
      "folders; remove them";
  }

  #make(folder: string, root: string): DirectoryWatch {
    return new DirectoryWatch(folder, {
      hint: () => this.#listener.hint(),
      state: (state, message) => {
        let states = this.#states.get(root);
        if (!states) this.#states.set(root, states = new Map());
        // A folder that is gone is no matter of the directory's; the next scan will miss it.
        if (folder !== root && state === "missing") states.delete(folder);
        else states.set(folder, { state, ...(message !== undefined && { message }) });
        this.#told(root);
      },
    }, { ...this.#options, avoid: (each) => this.#whyAvoid(each) });
  }

  #told(root: string): void {
    const states = [...this.#states.get(root)?.values() ?? []];
    const [gravest] = states.sort((a, b) => GRAVITY[b.state] - GRAVITY[a.state]);
    if (gravest) this.#tell(this.#log.watched(root, gravest.state, gravest.message));
  }

  #tell(event: WatchEvent | undefined): void {
    if (event && !this.#closed) this.#listener.emit(event);
  }
}

/**
 * So many pipes are kept open, in all folders: more than anybody has there with a purpose, and few beside
 * the 1,024 files that a process may have open at the least.
 */
const MOST_PIPES = 64;
/** And so many while a watch is taken back: less than half of what macOS, with the least, allows. */
const MOST_AT_ONCE = 4_000;
/** In milliseconds. */
const WATCHES_GONE = 100;
const SLASH = Deno.build.os === "windows" ? "\\" : "/";
