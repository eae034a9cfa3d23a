import type { Scn } from "../artifact/mod.ts";
import { type Choice, choose, type ConflictEvent, type SkippedEvent } from "../manager/mod.ts";
import type { ResolvedManagerOptions } from "../manager/options.ts";
import type { PluginManager } from "../manager/mod.ts";
import { DeletedLog, type Source } from "./deleted_log.ts";
import { EntryMemory } from "./entry_memory.ts";
import type { DeletedEvent } from "./events.ts";
import { listDirectories } from "./list_directories.ts";
import { SkipLog } from "./skip_log.ts";
import type { ScanStatus } from "./status.ts";

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
  /** Told of all folders that were listed. */
  listed(directories: readonly string[]): void;
  /** Told of a folder that can't be listed. */
  unlisted(directory: string, error: unknown): void;
  /** Where what is current was found. */
  sources(): Source[];
  /** Told of what is newer but not for this host, and of what is current and gone. */
  emit(event: SkippedEvent | ConflictEvent | DeletedEvent): void;
}

/** Lists folders and chooses, of each plugin, what is to be opened; remembers what it told. */
export class Scanner {
  readonly #world: ScannerWorld;
  readonly #entries = new EntryMemory();
  readonly #skips = new SkipLog();
  readonly #deleted = new DeletedLog();
  #status: ScanStatus = { count: 0, files: 0 };

  /** Makes a scanner that has seen nothing. */
  constructor(world: ScannerWorld) {
    this.#world = world;
  }

  /** The scans so far. */
  get status(): ScanStatus {
    return this.#status;
  }

  /** Looks at the folders as they are now. */
  async scan(directories: readonly string[]): Promise<Map<string, Choice>> {
    const { options, manager, recursive, unlisted } = this.#world;
    const began = performance.now();
    const listings = await listDirectories(directories, { recursive, failed: unlisted });
    if (recursive) this.#world.listed(listings.map(({ directory }) => directory));
    this.#entries.turn();
    const choices = choose(listings, {
      options,
      currentScn: (name) => manager.current(name)?.scn,
      isHeld: (name, scn) => this.#world.isHeld(name, scn),
      now: Date.now(),
      readEntry: (file) => this.#entries.read(file),
    });
    for (const event of this.#skips.news(choices.values())) this.#world.emit(event);
    const gone = await this.#deleted.news(this.#world.sources(), choices);
    for (const event of gone) this.#world.emit(event);
    this.#status = {
      count: this.#status.count + 1,
      lastAt: new Date().toISOString(),
      lastDurationMs: Math.round((performance.now() - began) * 1000) / 1000,
      files: listings.reduce((sum, { files }) => sum + files.length, 0),
    };
    return choices;
  }
}
