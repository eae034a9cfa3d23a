import { join } from "@std/path";
import { describeError } from "../../manager/describe_error.ts";
import { DirectoryWatch, type DirectoryWatchOptions } from "./directory_watch.ts";
import type { WatchEvent } from "../events.ts";
import { PipeGuard } from "./pipe_guard.ts";
import type { WatchStatus } from "../status.ts";
import { WatchLog } from "./watch_log.ts";

/** Whom a {@linkcode WatchSet} tells. */
export interface WatchSetListener {
  /** Something may have changed: the file of that path, or anything if none is given. */
  hint(path?: string): void;
  /** How the watching of a directory stands has changed. */
  emit(event: WatchEvent): void;
}

/** How a {@linkcode WatchSet} goes about it. */
export interface WatchSetOptions extends DirectoryWatchOptions {
  /** The directories, as absolute paths. */
  readonly watch: readonly string[];
  /** The state folder, which is there when pipes are told of first; undefined where there is none. */
  readonly state?: string | undefined;
  /** Time between two looks whether a folder is still the same one, in milliseconds. */
  readonly rootCheck: number;
}

type State = WatchEvent["state"];
type FolderState = Pick<WatchEvent, "state" | "message">;

/** The gravest one of a directory's folders is its own. */
const GRAVITY: Record<State, number> = { watching: 0, polling: 1, error: 2, missing: 3 };

/**
 * So many folders in the directories have watches of their own. Whatever happens, Deno (2.9.5) asks one watch
 * after the other whether it is meant, which takes it some 5 µs each: with a thousand watches a tree that is
 * removed would take half a minute to be told of.
 */
const MOST_FOLDERS = 64;
const TOO_MANY = `only ${MOST_FOLDERS} of the folders in it are watched, and the others looked at`;

/** The watches of all directories, and of the folders in them where they are watched recursively. */
export class WatchSet {
  readonly #options: WatchSetOptions;
  readonly #listener: WatchSetListener;
  readonly #log = new WatchLog();
  readonly #roots: readonly DirectoryWatch[];
  /** Those of folders in the directories, by path. */
  readonly #folders = new Map<string, { readonly root: string; readonly watch: DirectoryWatch }>();
  readonly #states = new Map<string, Map<string, FolderState>>();
  readonly #pipes: PipeGuard;
  /** Of the folders that have no watch of their own. */
  #poll: ReturnType<typeof setInterval> | undefined;
  /** When all was looked at on a timer, in milliseconds of `performance.now()`. */
  #tickedAt = -Infinity;
  #closed = false;

  /** Makes watches that have not begun. */
  constructor(options: WatchSetOptions, listener: WatchSetListener) {
    this.#options = options;
    this.#listener = listener;
    this.#pipes = new PipeGuard(options.state, {
      watches: () => this.#all(),
      watchOf: (folder) => this.#watchOf(folder),
    });
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

  /**
   * Watches, besides the directories, these folders that were found in them, and no others: the first so many
   * have watches, and the others are looked at on a timer.
   */
  cover(listed: readonly string[]): void {
    if (this.#closed) return;
    const found = new Set(listed);
    for (const [folder, { root, watch }] of this.#folders) {
      if (found.has(folder)) continue;
      this.#folders.delete(folder);
      this.#note(root, folder, undefined);
      void watch.close();
    }
    const crowded = new Set<string>();
    for (const folder of found) {
      const root = this.rootOf(folder);
      if (root === undefined || folder === root || this.#folders.has(folder)) continue;
      if (this.#folders.size >= MOST_FOLDERS) {
        crowded.add(root);
        continue;
      }
      const watch = this.#make(folder, root);
      this.#folders.set(folder, { root, watch });
      void watch.start(this.#options.rootCheck);
    }
    this.#pollIn(crowded);
  }

  /** Whether links in a folder may lead to pipes that a watch waits at. */
  follows(folder: string): boolean {
    return !this.#options.alwaysPoll && !this.#watchOf(folder)?.isRemote;
  }

  /** Lets no watch wait at these pipes that lie in the folders. */
  async keepPipes(paths: readonly string[]): Promise<void> {
    if (!this.#closed && !this.#options.alwaysPoll) await this.#pipes.keep(paths);
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
    clearInterval(this.#poll);
    // No watch that goes is to wait at a pipe that came a moment ago.
    await this.#pipes.prepareClose((folder) => this.isLocal(folder));
    await Promise.all(this.#all().map((each) => each.close()));
    await this.#pipes.close();
  }

  #all(): DirectoryWatch[] {
    return [...this.#roots, ...[...this.#folders.values()].map(({ watch }) => watch)];
  }

  #watchOf(folder: string): DirectoryWatch | undefined {
    return this.#folders.get(folder)?.watch ??
      this.#roots[this.#options.watch.indexOf(folder)];
  }

  #make(folder: string, root: string): DirectoryWatch {
    return new DirectoryWatch(folder, {
      hint: (name) => this.#listener.hint(name === undefined ? undefined : join(folder, name)),
      tick: () => this.#tick(),
      state: (state, message) => {
        // A folder that is gone is no matter of the directory's; the next scan will miss it.
        const isGone = folder !== root && state === "missing";
        this.#note(root, folder, isGone ? undefined : { state, ...(message && { message }) });
      },
    }, {
      ...this.#options,
      avoid: (each) => this.#pipes.whyAvoid(each),
      responds: () => this.#pipes.responds(),
      told: () => this.#pipes.told(),
    });
  }

  /** Looks on a timer for what is in folders of these directories that have no watch. */
  #pollIn(crowded: ReadonlySet<string>): void {
    for (const root of this.#options.watch) {
      this.#note(root, "", crowded.has(root) ? { state: "polling", message: TOO_MANY } : undefined);
    }
    if (crowded.size > 0) {
      return void (this.#poll ??= setInterval(() => this.#tick(), this.#options.poll));
    }
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  /** All is looked at for each of them: once is enough for many folders. */
  #tick(): void {
    const now = performance.now();
    if (now - this.#tickedAt < this.#options.poll / 2) return;
    this.#tickedAt = now;
    this.#listener.hint();
  }

  /** Notes how the watching of a folder in a directory stands; undefined where there is nothing to note. */
  #note(root: string, folder: string, state: FolderState | undefined): void {
    let states = this.#states.get(root);
    if (!states) this.#states.set(root, states = new Map());
    if (state) states.set(folder, state);
    else if (!states.delete(folder)) return;
    this.#told(root);
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

const SLASH = Deno.build.os === "windows" ? "\\" : "/";
