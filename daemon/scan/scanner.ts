import { SEPARATOR } from "@std/path";
import type { Scn } from "../../artifact/mod.ts";
import {
  choose,
  type ConflictEvent,
  type FailedEvent,
  type Listing,
  type SkippedEvent,
} from "../../manager/mod.ts";
import type { ResolvedManagerOptions } from "../../manager/settings/options.ts";
import type { PluginManager } from "../../manager/mod.ts";
import { DeletedLog, type Source } from "./deleted_log.ts";
import { EntryMemory } from "./entry_memory.ts";
import type { FoundChoice } from "./found_choice.ts";
import type { DeletedEvent } from "../events.ts";
import { listDirectories } from "./list_directories.ts";
import { ListingMemory } from "./listing_memory.ts";
import { MisnamedLog } from "./misnamed.ts";
import { FIRST_DEPTH, newestNames } from "./newest_names.ts";
import { SkipLog } from "./skip_log.ts";
import type { DaemonStatus, ScanStatus } from "../status.ts";

/** What a scanner needs of its daemon. */
export interface ScannerWorld {
  /** How the manager behaves. */
  readonly options: ResolvedManagerOptions;
  /** What has the plugins loaded. */
  readonly manager: Pick<PluginManager, "current">;
  /** Whether folders in the folders are listed too. */
  readonly recursive: boolean;
  /** Whether something keeps an SCN of the plugin out. */
  isHeld(name: string, scn: Scn): boolean;
  /** Whether a folder may be listed at one go. */
  isLocal(directory: string): boolean;
  /** Whether links in a folder are followed to look for pipes. */
  follows(directory: string): boolean;
  /** Told of all named pipes in the folders, before anything else. */
  pipes(paths: readonly string[]): Promise<void>;
  /** Told of all folders that were listed. */
  listed(directories: readonly string[]): void;
  /** Told of a folder that can't be listed. */
  unlisted(directory: string, error: unknown): void;
  /** Where what is current was found. */
  sources(): Source[];
  /** Told of what is newer but not for this host or no artifact by its name, and of what is current and gone. */
  emit(event: SkippedEvent | ConflictEvent | DeletedEvent | FailedEvent): void;
}

/** Lists folders and chooses, of each plugin, what is to be opened; remembers what it told. */
export class Scanner {
  readonly #world: ScannerWorld;
  readonly #entries = new EntryMemory();
  readonly #memory = new ListingMemory();
  readonly #skips = new SkipLog();
  readonly #misnamed = new MisnamedLog();
  /** What was listed last. */
  #last: readonly Listing[] = [];
  readonly #deleted = new DeletedLog();
  /** How many versions are looked at, of the plugins of which it is more than the first few. */
  readonly #depths = new Map<string, number>();
  #deeper: ReadonlyMap<string, Scn> = new Map();
  /** What was chosen from: all but what is too old. */
  #newest: readonly Listing[] = [];
  #names: Pick<ReadonlySet<string>, "has"> = new Set();
  #status: ScanStatus = { count: 0, files: 0 };
  #isBrief = false;
  /** How long the folders were listed for the scan that is yet to come, if so, in milliseconds. */
  #ahead: number | undefined;

  /** Makes a scanner that has seen nothing. */
  constructor(world: ScannerWorld) {
    this.#world = world;
  }

  /** The listings so far, and what the last one found that is not opened. */
  status(): Pick<DaemonStatus, "scans" | "skipped" | "misnamed"> {
    const [skipped, misnamed] = [this.#skips.list(), this.#misnamed.list()];
    return { scans: this.#status, skipped, misnamed };
  }

  /**
   * Looks further back from now on for versions of a plugin of which the newest don't load; answers
   * with whether there is something newer than what is current.
   */
  deepen(name: string): boolean {
    const left = this.#deeper.get(name);
    if (left === undefined || !this.#mayBeOpened(name, left)) return false;
    this.#depths.set(name, (this.#depths.get(name) ?? FIRST_DEPTH) * 4);
    return true;
  }

  /** By its SCN alone. */
  #mayBeOpened(name: string, scn: Scn): boolean {
    const { manager, options } = this.#world;
    return scn >= options.initialScn && scn > (manager.current(name)?.scn ?? 0);
  }

  /** Whether the last scan found something of the plugin, whether it may be opened or not. */
  found(name: string): boolean {
    return this.#names.has(name);
  }

  /** Notes that a file may have changed, or anything if no path is given. */
  tell(path?: string): void {
    this.#memory.tell(path);
  }

  /** Whether the last scan went by what was told, and a listing is to follow. */
  get isBrief(): boolean {
    return this.#isBrief;
  }

  /**
   * Lists the folders for the next scan, while that is to wait for other things: a flush to the disk,
   * say. It must be told of what changes from then on.
   */
  async listAhead(directories: readonly string[]): Promise<void> {
    const began = performance.now();
    await this.#list(directories);
    this.#ahead = performance.now() - began;
  }

  /** Looks at the folders as they are now, or where only some files were told of, at these. */
  async scan(directories: readonly string[]): Promise<Map<string, FoundChoice>> {
    const now = performance.now();
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const listed = ahead === undefined ? undefined : this.#memory.unchanged();
    const recalled = this.#memory.recall(now);
    this.#isBrief = recalled !== undefined;
    const listings = recalled ?? listed ?? await this.#list(directories);
    this.#entries.turn();
    let choices: Map<string, FoundChoice>;
    let again = false;
    do {
      choices = this.#choose(listings);
      again = false;
      for (const name of this.#deeper.keys()) {
        // Nothing of the newest is for this host: something older may be.
        if ((choices.get(name)?.candidates.length ?? 0) === 0) again = this.deepen(name) || again;
      }
    } while (again);
    this.#lookLessFar(choices);
    for (const event of this.#skips.news(choices.values())) this.#world.emit(event);
    const isOther = (file: string): boolean => this.#entries.read(file).kind === "other";
    for (const event of this.#misnamed.news(this.#newest, isOther)) this.#world.emit(event);
    const gone = await this.#deleted.news(this.#world.sources(), choices);
    for (const event of gone) this.#world.emit(event);
    if (!this.#isBrief || ahead !== undefined) this.#note(listings, now - (ahead ?? 0));
    return choices;
  }

  #note(listings: readonly Listing[], began: number): void {
    this.#status = {
      count: this.#status.count + 1,
      lastAt: new Date().toISOString(),
      lastDurationMs: Math.round((performance.now() - began) * 1000) / 1000,
      files: listings.reduce((sum, { files }) => sum + files.length, 0),
    };
  }

  async #list(directories: readonly string[]): Promise<Listing[]> {
    const { recursive, isLocal, follows } = this.#world;
    this.#memory.begin();
    const unlisted: string[] = [];
    const failed = (directory: string, error: unknown): void => {
      if (!isGone(error)) unlisted.push(directory);
      this.#world.unlisted(directory, error);
    };
    const pipes: string[] = [];
    const pipe = (path: string): void => void pipes.push(path);
    const how = { recursive, isLocal, follows, failed, pipe };
    const listed = await listDirectories(directories, how);
    const listings = this.#last = [...listed, ...left(this.#last, unlisted, listed)];
    await this.#world.pipes(pipes);
    this.#memory.take(listings);
    if (recursive) this.#world.listed(listings.map(({ directory }) => directory));
    return listings;
  }

  /** Where nothing is newer than what is current, or nothing is left, nothing older is looked for. */
  #lookLessFar(choices: ReadonlyMap<string, FoundChoice>): void {
    for (const name of this.#depths.keys()) {
      const candidates = choices.get(name)?.candidates ?? [];
      const isOver = this.#world.manager.current(name) || !this.#names.has(name);
      if (candidates.length === 0 && isOver) this.#depths.delete(name);
    }
  }

  #choose(listings: readonly Listing[]): Map<string, FoundChoice> {
    const { options, manager } = this.#world;
    const currentScn = (name: string): Scn | undefined => manager.current(name)?.scn;
    const depth = (name: string): number => this.#depths.get(name) ?? FIRST_DEPTH;
    const { listings: newest, deeper, names } = newestNames(listings, { depth, currentScn });
    this.#newest = newest;
    this.#deeper = deeper;
    this.#names = names;
    const choices = choose(newest, {
      options,
      currentScn,
      isHeld: (name, scn) => this.#world.isHeld(name, scn),
      now: Date.now(),
      readEntry: (file) => this.#entries.read(file),
    });
    const found = new Map<string, FoundChoice>();
    for (const [name, choice] of choices) {
      const leftOut = deeper.get(name);
      found.set(name, leftOut === undefined ? choice : { ...choice, leftOut });
    }
    return found;
  }
}

/** Whether a folder that can't be listed is none any more. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.FilesystemLoop;
}

/** What was in folders that can't be listed: that says of nothing in them that it is gone. */
function left(
  before: readonly Listing[],
  unlisted: readonly string[],
  listed: readonly Listing[],
): Listing[] {
  if (unlisted.length === 0) return [];
  const known = new Set(listed.map(({ directory }) => directory));
  const isIn = (directory: string): boolean =>
    unlisted.some((each) => directory === each || directory.startsWith(each + SEPARATOR));
  return before.filter(({ directory }) => !known.has(directory) && isIn(directory));
}
