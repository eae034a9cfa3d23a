import { basename, resolve, SEPARATOR } from "@std/path";
import type { ChokidarOptions, FSWatcher } from "chokidar";
import { describeError } from "../../manager/describe_error.ts";
import type { WatchEvent } from "../events.ts";
import { lookAtRoot } from "./look_at_root.ts";
import { networkFileSystem } from "./network_file_system.ts";
import { isTemporaryName } from "../scan/temporary_name.ts";
import { watchUnlisted } from "./watch_unlisted.ts";

/** Whom a {@linkcode DirectoryWatch} tells. */
export interface DirectoryWatchListener {
  /** Something in the directory may have changed: the file of that name, or anything if none is given. */
  hint(name?: string): void;
  /** It is time to look again, since nothing tells of changes. */
  tick(): void;
  /** How the watching stands has changed. */
  state(state: WatchEvent["state"], message?: string): void;
}

/** Sets a watch, as chokidar does. */
export type SetWatch = (path: string, options: ChokidarOptions) => FSWatcher;

/** How a {@linkcode DirectoryWatch} goes about it. */
export interface DirectoryWatchOptions {
  /** Time between two looks at the folder where nothing tells of changes, in milliseconds. */
  readonly poll: number;
  /** Whether to do so in any case. */
  readonly alwaysPoll: boolean;
  /** How long after watches were used up another one is tried, in milliseconds. */
  readonly exhaustedFor?: number;
  /** Why no watch is to be set on a folder, where none is; see {@linkcode DirectoryWatch.reset}. */
  readonly avoid?: (directory: string) => string | undefined;
  /** Whether a watch can be set or taken back now, without holding up the process. */
  readonly responds?: () => Promise<boolean>;
  /** Told that the system told of a change, whatever it is about. */
  readonly told?: () => void;
  /** The name of the network file system that a folder lies on, if it does. */
  readonly networkOf?: (directory: string) => Promise<string | undefined>;
  /** What sets a watch. */
  readonly setWatch?: SetWatch;
}

/** So long nothing is gained by trying again. */
const EXHAUSTED_FOR = 60_000;

/**
 * Tells when something in a directory may have changed.
 *
 * What it tells are hints: none is too many, and one may be lost, so its owner lists the directory
 * and does so on a timer too. One watch is set for the directory and none for its files. A watch
 * goes deaf when its directory is replaced (removed and made again, renamed, a link set anew), so
 * the directory is known by its identity, and watched anew when that changes. Where nothing tells of
 * changes, on a network file system or once the system's watches are used up, each tick of a timer is
 * a hint.
 */
export class DirectoryWatch implements AsyncDisposable {
  readonly #directory: string;
  readonly #listener: DirectoryWatchListener;
  readonly #options: Required<DirectoryWatchOptions>;
  /** Settled once the watch that was set last sees changes, or is known not to. */
  #ready: PromiseWithResolvers<void> | undefined;
  #identity: string | undefined;
  #watcher: FSWatcher | undefined;
  #remote = false;
  #checking: Promise<void> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #poll: ReturnType<typeof setInterval> | undefined;
  /** When another watch may be tried, in milliseconds of `performance.now()`. */
  #exhaustedUntil = 0;
  #closed: Promise<void> | undefined;

  /** Makes a watch that has not begun. */
  constructor(
    directory: string,
    listener: DirectoryWatchListener,
    options: DirectoryWatchOptions,
  ) {
    this.#directory = directory;
    this.#listener = listener;
    this.#options = {
      exhaustedFor: EXHAUSTED_FOR,
      avoid: () => undefined,
      responds: () => Promise.resolve(true),
      told: () => {},
      networkOf: networkFileSystem,
      setWatch: watchUnlisted,
      ...options,
    };
  }

  /** Begins; resolves once changes are seen, or known not to be. */
  async start(rootCheck: number): Promise<void> {
    await this.check();
    if (!this.#closed) this.#timer = setInterval(() => void this.check(), rootCheck);
  }

  /** Looks whether the directory is still the one that is watched, and watches it anew if not. */
  check(): Promise<void> {
    return this.#checking ??= this.#check().finally(() => this.#checking = undefined);
  }

  /** Watches it anew, or polls it: where that may be otherwise than when it was looked at. */
  async reset(): Promise<void> {
    await this.#checking;
    this.#identity = undefined;
    await this.check();
  }

  /** The directory, where a watch is set on it. */
  get watched(): string | undefined {
    return this.#watcher && this.#directory;
  }

  /** Whether it lies where nothing tells of changes. */
  get isRemote(): boolean {
    return this.#remote;
  }

  /** Leaves the watch that is set as it is, for good: where it can't be taken back. */
  abandon(): void {
    this.#watcher = undefined;
  }

  /** Ends it. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#poll);
    this.#ready?.resolve();
    await this.#checking;
    await this.#watcher?.close();
  }

  async #check(): Promise<void> {
    const root = await lookAtRoot(this.#directory);
    if (this.#closed || root.identity === this.#identity) return;
    // Else the next check may: what is found out of by a scan.
    if (!await this.#options.responds()) return void this.#listener.hint();
    if (this.#closed) return;
    this.#identity = root.identity;
    await this.#unwatch();
    const why = root.state === "watching" ? await this.#whyPolling() : undefined;
    if (this.#closed) return;
    if (why !== undefined) this.#startPolling(why);
    else if (root.state === "watching") await this.#watch();
    else this.#listener.state(root.state, root.message);
    // What happened between the two watches was not seen.
    if (!this.#closed) this.#listener.hint();
  }

  async #whyPolling(): Promise<string | undefined> {
    if (this.#options.alwaysPoll) return "as asked for";
    if (SEPARATOR === "/" && this.#directory.includes("\\")) {
      return "chokidar takes the backslash in its path for a slash";
    }
    const network = await this.#options.networkOf(this.#directory);
    this.#remote = network !== undefined;
    if (network !== undefined) return `it lies on a file system that may not tell (${network})`;
    return this.#options.avoid(this.#directory);
  }

  #startPolling(why: string): void {
    this.#listener.state("polling", why);
    clearInterval(this.#poll);
    this.#poll = setInterval(() => {
      const again = this.#exhaustedUntil > 0 && performance.now() >= this.#exhaustedUntil;
      if (again) {
        this.#exhaustedUntil = 0;
        this.#identity = undefined;
        void this.check();
      }
      this.#listener.tick();
    }, this.#options.poll);
  }

  async #unwatch(): Promise<void> {
    clearInterval(this.#poll);
    if (!this.#watcher) return;
    await this.#watcher.close();
    this.#watcher = undefined;
    // Deno takes a watch back in a later turn, by its path: a new one of the same path that was set
    // in this turn would go with it, and never tell anything (2.9.5).
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  #watch(): Promise<void> {
    const ready = this.#ready = Promise.withResolvers<void>();
    const watcher = this.#options.setWatch(this.#directory, {
      depth: 0,
      ignoreInitial: true,
      // Else a folder that is named as an editor's temporary file would tell nothing.
      atomic: false,
      // Its own events about entries would cost a watch and a stat for each; `raw` is all we need.
      ignored: (path) => resolve(path) !== this.#directory,
    });
    this.#watcher = watcher;
    let failed = false;
    const recheck = (): void => void this.check();
    watcher.on("raw", (_event, path, details) => {
      this.#options.told();
      // Where the folder is gone, its parent's is told of.
      const { watchedPath } = details as { readonly watchedPath?: string };
      const own = watchedPath === undefined || resolve(watchedPath) === this.#directory;
      if (!own || path === basename(this.#directory)) recheck();
      if (own && isTelling(path)) this.#listener.hint(fileOf(path, this.#directory));
    });
    watcher.on("addDir", recheck).on("unlinkDir", recheck);
    watcher.on("error", (error) => {
      failed = true;
      ready.resolve();
      // One that was given up says nothing of the new one.
      if (this.#watcher !== watcher || this.#closed) return;
      const message = describeError(error);
      if (isExhausted(error)) {
        this.#exhaustedUntil = performance.now() + this.#options.exhaustedFor;
        this.#startPolling(`the system's watches are used up (${message}); raise its limits`);
        return;
      }
      // The next check sets a new watch; until one holds, each check is a hint: it polls.
      this.#identity = undefined;
      this.#listener.state("error", message);
      this.#listener.hint();
    });
    watcher.on("ready", () => {
      const isOwn = this.#watcher === watcher && !this.#closed;
      if (!failed && isOwn) this.#listener.state("watching");
      ready.resolve();
    });
    return ready.promise;
  }
}

/** Inotify's instances or watches, or this process's open files. */
function isExhausted(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === "EMFILE" || code === "ENFILE" || code === "ENOSPC") return true;
  return /watch limit reached|too many open files/i.test(String(message));
}

/** The name of the file that was told of; undefined for the directory itself, and what may mean more. */
function fileOf(path: unknown, directory: string): string | undefined {
  if (typeof path !== "string") return undefined;
  const name = basename(path);
  return name === basename(directory) || name.startsWith("..") ? undefined : name;
}

/** Temporary files of builders and editors tell nothing; a lock that goes tells that a build ended. */
function isTelling(path: unknown): boolean {
  if (typeof path !== "string") return true;
  const name = basename(path);
  return !isTemporaryName(name) || name.endsWith(".lock") || name.startsWith("..");
}
