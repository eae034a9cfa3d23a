import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import { join } from "@std/path";
import { isPluginName, isScn, type Scn } from "../../artifact/mod.ts";
import { isFileThere } from "./is_file_there.ts";

/** A load that was begun. */
export interface JournalEntry {
  /** The plugin's name. */
  readonly name: string;
  /** The artifact's sequence change number. */
  readonly scn: Scn;
  /** Where it was found. */
  readonly path: string;
}

/** A load that had not ended when the process did, or only just had. */
export interface UnendedLoad extends JournalEntry {
  /** Whether it had ended well, a moment before. */
  readonly loaded?: boolean;
  /** Which one it was, by what no other load is called; absent where the journal does not say. */
  readonly load?: string;
}

/** A load that is in the journal. */
export interface JournaledLoad {
  /** Notes that it has ended. */
  end(): void;
  /** Notes that it has just ended well. */
  loaded(): void;
}

/** The name of the journal, in a state folder. */
export const JOURNAL_FILE = "journal";
/** The file has this size from the first on: a longer file would be one more thing to flush. */
const SIZE = 256 * 1024;
const LINE_BREAK = 0x0a;

/** Not through a link that came since it was looked at; that flag is 0 on Windows. */
const OPEN_FLAGS = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);

const flush = promisify(fdatasync);
const encoder = new TextEncoder();

/** A line that is to be flushed, and who waits for that. */
interface Waiting extends PromiseWithResolvers<void> {
  readonly line: string;
}

/**
 * Which loads were begun and have not ended: a load that ends the process, or makes somebody kill it,
 * is found here by the next one.
 *
 * A line is written and flushed before each load, and one after it, which need not be flushed: as long
 * as the machine runs, what was written is there. Loads that begin together are flushed together.
 */
export class LoadJournal {
  readonly #file: number;
  /** Numbers begin anew in each process. */
  readonly #run = crypto.randomUUID();
  /** The lines of what has not ended; of the process before too, until that is remembered elsewhere. */
  readonly #open: Map<number, string>;
  readonly #found: readonly number[];
  readonly #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #clearing: Promise<void> | undefined;
  #count: number;
  #end: number;
  /** Whether there is room after what is in it, and that has all ended. */
  readonly #isUsable: boolean;

  private constructor(file: number, end: number, found: ReadonlyMap<number, Found>) {
    this.#file = file;
    this.#end = end;
    this.#open = new Map([...found].map(([id, { line }]) => [id, line]));
    this.#found = [...found.keys()];
    // Under a number of theirs, what begins now would take their place.
    this.#count = this.#found.reduce((most, id) => Math.max(most, id), -1) + 1;
    this.#isUsable = found.size === 0 && end <= SIZE / 2 && fstatSync(file).size === SIZE;
  }

  /** Opens the journal of a state folder; answers with what had not ended when it was last written. */
  static open(
    folder: string,
  ): { readonly journal: LoadJournal; readonly unended: UnendedLoad[] } {
    const path = join(folder, JOURNAL_FILE);
    const bytes = isFileThere(path) ? readFileSync(path) : new Uint8Array();
    const file = openSync(path, OPEN_FLAGS, 0o600);
    const end = endOf(bytes);
    const found = readUnended(bytes.subarray(0, end));
    const unended = Array.from(found.values(), ({ load }) => load);
    return { journal: new LoadJournal(file, end, found), unended };
  }

  /** What had not ended when the journal was last written, for a look only; nothing is made. */
  static peek(folder: string): UnendedLoad[] {
    const path = join(folder, JOURNAL_FILE);
    try {
      const bytes = isFileThere(path) ? readFileSync(path) : new Uint8Array();
      const found = readUnended(bytes.subarray(0, endOf(bytes)));
      return Array.from(found.values(), ({ load }) => load);
    } catch {
      // Whether it can be used is asked elsewhere.
      return [];
    }
  }

  /** Lets what was found be left out from now on, to be called once it is remembered elsewhere. */
  forget(): void {
    for (const id of this.#found) this.#open.delete(id);
  }

  /**
   * Forgets all that was, to be called once what was found is remembered elsewhere; resolves once that
   * is on the disk.
   */
  async clear(): Promise<void> {
    // To flush all of it would keep those waiting that begin to load meanwhile.
    if (this.#isUsable) return;
    this.forget();
    this.#rewrite();
    await (this.#clearing = flush(this.#file));
  }

  /** Notes that a load begins; resolves, once that is on the disk, to what notes its end. */
  async begin(entry: JournalEntry): Promise<JournaledLoad> {
    const id = this.#count++;
    const begun = { id, ...entry, run: this.#run };
    const line = lineOf(begun);
    this.#open.set(id, line);
    const waiting = { ...Promise.withResolvers<void>(), line };
    this.#waiting.push(waiting);
    this.#running ??= this.#flush();
    try {
      await waiting.promise;
    } catch (error) {
      this.#open.delete(id);
      throw error;
    }
    const end = (): void => {
      if (this.#open.delete(id)) this.#write(lineOf({ id }));
    };
    const loaded = (): void => {
      this.#open.set(id, lineOf({ ...begun, loaded: true }));
      this.#write(lineOf({ id, loaded: true }));
    };
    return { end, loaded };
  }

  /** Closes the file, and leaves nothing in it that has ended: the next process is to read it. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#running, this.#clearing]);
    try {
      if (this.#end > 0) this.#rewrite();
    } catch {
      // It says the same as before.
    } finally {
      closeSync(this.#file);
    }
  }

  async #flush(): Promise<void> {
    // In a turn of its own: what begins in one turn is flushed together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        this.#write(batch.map(({ line }) => line).join(""));
        await flush(this.#file);
        for (const each of batch) each.resolve();
      } catch (error) {
        for (const each of batch) each.reject(error);
      }
    }
    this.#running = undefined;
  }

  #write(lines: string): void {
    const bytes = encoder.encode(lines);
    // What is open is written anew then, and these lines with it or without need.
    if (this.#end + bytes.length > SIZE) return this.#rewrite();
    writeAll(this.#file, bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Writes what is open, and nothing else. */
  #rewrite(): void {
    const bytes = encoder.encode([...this.#open.values()].join(""));
    const all = new Uint8Array(Math.max(SIZE, bytes.length));
    all.set(bytes);
    writeAll(this.#file, all, 0);
    // It was longer where more was open: what is left of that has ended.
    if (fstatSync(this.#file).size > all.length) ftruncateSync(this.#file, all.length);
    this.#end = bytes.length;
  }
}

/**
 * Where the last line ends. After it there is room, or what was cut short, as is a line that a full disk
 * took part of: what is left of that is no line, whatever is written over its beginning.
 */
function endOf(bytes: Uint8Array): number {
  return bytes.lastIndexOf(LINE_BREAK) + 1;
}

/** With a line break in front too: after a write that was cut short, on a full disk. */
function lineOf(
  line: Partial<JournalEntry & UnendedLoad> & { readonly id: number; readonly run?: string },
): string {
  return `\n${JSON.stringify(line)}\n`;
}

function writeAll(file: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, bytes.length - done, at + done);
  }
}

/** A load that had not ended, and the line that says so. */
interface Found {
  readonly load: UnendedLoad;
  readonly line: string;
}

function readUnended(bytes: Uint8Array): Map<number, Found> {
  const text = new TextDecoder().decode(bytes);
  const open = new Map<number, Found>();
  for (const each of text.replaceAll("\0", "").split("\n")) {
    const { id, name, scn, path, run, loaded } = readLine(each) ?? {};
    if (!isNumber(id)) continue;
    const begun = open.get(id);
    if (isNamed(name) && isScn(scn) && typeof path === "string") {
      const load = {
        ...{ name, scn, path },
        ...(typeof run === "string" && { load: `${run} ${id}` }),
        ...(loaded === true && { loaded }),
      };
      open.set(id, { load, line: `\n${each}\n` });
    } else if (begun && loaded === true) {
      open.set(id, { load: { ...begun.load, loaded }, line: `${begun.line}\n${each}\n` });
    } else {
      open.delete(id);
    }
  }
  return open;
}

function isNumber(id: unknown): id is number {
  return Number.isSafeInteger(id);
}

function isNamed(name: unknown): name is string {
  return typeof name === "string" && isPluginName(name);
}

/** One that was not written to its end is as good as none: its load had not begun. */
function readLine(line: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
