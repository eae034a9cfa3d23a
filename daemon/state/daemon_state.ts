import { DEFAULT_MAX_MODULE_BYTES, HotplugError, type Scn } from "../../artifact/mod.ts";
import type { ManagerEvent, PluginManager, RestoredHolds } from "../../manager/mod.ts";
import { describeError } from "../../manager/describe_error.ts";
import { ArtifactStore } from "./artifact_store.ts";
import { judgeLoads } from "./judge_loads.ts";
import { KeptBytes } from "./kept_bytes.ts";
import { type JournalEntry, LoadJournal, type UnendedLoad } from "./load_journal.ts";
import { Moments } from "./moments.ts";
import { type NotedLoad, noteLoad } from "./noted_load.ts";
import {
  afterFreeze,
  afterLetIn,
  afterLoad,
  afterRollback,
  keptAs,
  refugeOf,
  type Served,
} from "./record_changes.ts";
import { lostEvent, quarantineEvent, stateEvent, unkeptEvent } from "./state_events.ts";
import type { TellState } from "./state_events.ts";
import { readState, writeState } from "./state_file.ts";
import { type StateFolder, takeStateFolder } from "./state_folder.ts";
import {
  holdsOf,
  inQuarantine,
  type KeptGeneration,
  keptOf,
  NO_RECORD,
  type PluginRecord,
  type Quarantined,
  type Suspect,
  suspectsOf,
} from "./state_record.ts";
import { byName } from "../../artifact/by_name.ts";
import { StateWriter } from "./state_writer.ts";

/** What has the plugins in memory. */
type InMemory = Pick<PluginManager, "current" | "previous">;

/**
 * What outlives the process: of each plugin what is current and was before, with their bytes, what
 * keeps versions out, and which loads were under way.
 */
export class DaemonState {
  /** What has just been loaded. */
  readonly moments: Moments = new Moments();
  readonly #folder: StateFolder;
  readonly #records: Map<string, PluginRecord>;
  readonly #journal: LoadJournal;
  readonly #store: ArtifactStore;
  readonly #writer: StateWriter;
  readonly #tell: TellState;
  readonly #bytes: KeptBytes;

  private constructor(
    folder: StateFolder,
    records: Map<string, PluginRecord>,
    journal: LoadJournal,
    store: ArtifactStore,
    maxSize: number,
    tell: TellState,
  ) {
    this.#folder = folder;
    this.#records = records;
    this.#journal = journal;
    this.#store = store;
    this.#bytes = new KeptBytes(store, maxSize, (...which) => tell(unkeptEvent(...which)));
    this.#tell = tell;
    this.#writer = new StateWriter(
      folder.path,
      () => this.#write(),
      tell,
      () => this.#bytes.isLoading,
    );
  }

  /**
   * Takes the state folder, and reads what is in it. What is missing in the store is looked for where it was
   * found, up to a size.
   *
   * @throws {HotplugError} `state` where another daemon has it, or it can't be used.
   */
  static async open(
    path: string,
    tell: TellState,
    maxSize: number = DEFAULT_MAX_MODULE_BYTES,
  ): Promise<DaemonState> {
    const folder = await takeStateFolder(path);
    await using opened = new AsyncDisposableStack();
    opened.defer(() => folder.close());
    try {
      const { records, lost } = readState(path);
      const { journal, unended } = LoadJournal.open(path);
      opened.defer(() => journal.close());
      const store = await ArtifactStore.open(path);
      const state = new DaemonState(folder, records, journal, store, maxSize, tell);
      if (folder.unended !== undefined) {
        tell(stateEvent("taken-over", `In "${path}" ${folder.unended}`));
      }
      if (lost !== undefined) tell(lostEvent(lost));
      await state.#judge(unended);
      // It is the state's to close from now on.
      opened.move();
      return state;
    } catch (cause) {
      if (cause instanceof HotplugError) throw cause;
      const why = describeError(cause);
      throw new HotplugError(
        "state",
        `Cannot use state folder "${path}": ${why}; mend it, or name another one (--state)`,
        { cause },
      );
    }
  }

  /** The state folder. */
  get folder(): string {
    return this.#folder.path;
  }

  /** What is remembered of a plugin. */
  record(name: string): PluginRecord {
    return this.#records.get(name) ?? NO_RECORD;
  }

  /** The names of the plugins that something is remembered of. */
  names(): string[] {
    return [...this.#records.keys()];
  }

  /** What keeps versions of a plugin out, for its manager. */
  holdsOf(name: string): RestoredHolds {
    return holdsOf(this.record(name));
  }

  /** Whether a version is older than what was current, or in quarantine. */
  isOut(name: string, scn: Scn): boolean {
    return scn < this.record(name).floor || this.isQuarantined(name, scn);
  }

  /** Whether a version is in quarantine. */
  isQuarantined(name: string, scn: Scn): boolean {
    return inQuarantine(this.record(name), scn) !== undefined;
  }

  /** What was being loaded when the process before ended. */
  suspects(): (Suspect & { readonly name: string })[] {
    return this.#flat(suspectsOf);
  }

  /** What is in quarantine, by name and then by SCN. */
  quarantine(): (Quarantined & { readonly name: string })[] {
    return this.#flat(({ quarantine }) => quarantine).sort((a, b) => byName(a, b) || a.scn - b.scn);
  }

  /** Where the kept artifact of a generation lies; undefined where it is not kept. */
  keptAt(name: string, generation: KeptGeneration): string | undefined {
    return this.#store.has(name, generation) ? this.#store.pathOf(name, generation) : undefined;
  }

  /** Notes that a load begins. */
  begin(entry: JournalEntry): NotedLoad {
    return noteLoad(entry, {
      journal: this.#journal,
      moments: this.moments,
      bytes: this.#bytes,
      // What serves must go on: a full disk is told of, and no reason to load nothing.
      failed: (error) => this.#writer.failed(error),
      cleared: ({ name, scn }) => this.#cleared(name, scn),
      ended: ({ name, scn }) => keptOf(this.record(name)).some((each) => each.scn === scn),
    });
  }

  /** Notes what a manager tells. */
  observe(event: ManagerEvent, manager: InMemory): void {
    switch (event.type) {
      case "loaded":
        return this.#loaded(event.name, manager.current(event.name), manager.previous(event.name));
      case "rolled-back":
        return this.#rolledBack(event.name, event.held, manager);
      case "released":
        return this.#change(event.name, { held: 0, floor: manager.current(event.name)?.scn ?? 0 });
      case "frozen":
        return this.#frozen(event.name, manager.current(event.name));
      case "thawed":
        return this.#change(event.name, { frozen: false });
      default:
    }
  }

  /** Lets versions down to the given SCN in again; answers with whether they were kept out. */
  lower(name: string, floor: Scn): boolean {
    if (this.record(name).floor <= floor) return false;
    this.#change(name, { floor });
    return true;
  }

  /** Lets a version out of quarantine; answers with whether it was there. */
  unquarantine(name: string, scn: Scn): boolean {
    const record = this.record(name);
    const found = inQuarantine(record, scn);
    if (!found) return false;
    this.#change(name, { quarantine: record.quarantine.filter((each) => each !== found) });
    this.#tell(quarantineEvent("unquarantined", { name, ...found }));
    return true;
  }

  /**
   * Resolves once all that was noted is on the disk.
   *
   * @throws {HotplugError} `state` where it could not be written.
   */
  async saved(): Promise<void> {
    await this.#writer.saved();
  }

  /** Writes what is due, and lets others have the folder. */
  async close(): Promise<void> {
    await this.moments.end();
    await this.#writer.close();
    if (this.#writer.isWritten) this.#journal.forget();
    await this.#journal.close();
    await this.#folder.close();
  }

  /** What was loading is suspect; what was loading a second time in a row goes into quarantine. */
  async #judge(unended: readonly UnendedLoad[]): Promise<void> {
    for (const { load, verdict, record } of judgeLoads(this.#records, unended)) {
      this.#change(load.name, record);
      if (verdict === "out" || verdict === "noted") continue;
      this.#tell(quarantineEvent(verdict, load));
    }
    const clearing = this.saved().then(() => this.#journal.clear()).catch((error) => {
      // It is told; the journal says the same again, next time.
      this.#writer.failed(error);
    });
    // Where nothing had been loading, there is nothing that must be forgotten before the next load.
    if (unended.length > 0) await clearing;
  }

  #cleared(name: string, scn: Scn): void {
    const record = this.record(name);
    const suspects = record.suspects.filter((each) => each.scn !== scn);
    if (suspects.length < record.suspects.length) this.#change(name, { suspects });
  }

  #loaded(name: string, served: Served | undefined, before: Served | undefined): void {
    if (!served) return;
    const letIn = afterLetIn(this.record(name), served);
    if (letIn) this.#change(name, letIn);
    const record = this.record(name);
    const next = this.#keptOf(name, served);
    // Not from where it is kept, if it is: that could not be used, and these bytes are good.
    if (served.path !== this.#store.pathOf(name, next)) this.#store.doubt(name, next);
    else this.#store.opened(served.path, next.path);
    const isKept = (each: KeptGeneration): boolean => this.keptAt(name, each) !== undefined;
    const older = before ? this.#keptOf(name, before) : refugeOf(record, next.scn, isKept);
    const change = afterLoad(record, next, older);
    if (change) this.#change(name, change);
    else if (!isKept(next)) this.#writer.changed();
  }

  #rolledBack(name: string, held: Scn, manager: InMemory): void {
    const [served, before] = [manager.current(name), manager.previous(name)];
    if (!served) return;
    const [next, older] = [this.#keptOf(name, served), before && this.#keptOf(name, before)];
    this.#change(name, afterRollback(this.record(name), held, next, older));
  }

  #frozen(name: string, served: Served | undefined): void {
    this.#change(name, afterFreeze(this.record(name), served && this.#keptOf(name, served)));
  }

  #keptOf(name: string, served: Served): KeptGeneration {
    return keptAs(this.record(name), served, (path) => this.#store.foundAt(path));
  }

  #change(name: string, change: Partial<PluginRecord>): void {
    this.#records.set(name, { ...this.record(name), ...change });
    this.#writer.changed();
  }

  async #write(): Promise<boolean> {
    this.#folder.assertThere();
    // Bytes first: what the state names is there.
    const settled = await this.#bytes.settle(this.#records).catch((error) => ({ error }));
    await writeState(this.folder, this.#records);
    if (typeof settled === "object") throw settled.error;
    return settled;
  }

  #flat<T>(list: (record: PluginRecord) => readonly T[]): (T & { readonly name: string })[] {
    return [...this.#records].flatMap(([name, record]) =>
      list(record).map((each) => ({ ...each, name }))
    );
  }
}
