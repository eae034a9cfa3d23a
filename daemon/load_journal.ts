import { join } from "@std/path";
import type { Scn } from "../artifact/mod.ts";

/** A load that was begun. */
export interface JournalEntry {
  /** The plugin's name. */
  readonly name: string;
  /** The artifact's sequence change number. */
  readonly scn: Scn;
  /** Where it was found. */
  readonly path: string;
}

const FILE = "journal";
/** Once nothing is loading, a journal that is larger is begun anew. */
const LARGE = 256 * 1024;

/**
 * Which loads were begun and have not ended: a load that ends the process, or makes somebody kill it,
 * is found here by the next one.
 *
 * A line is appended and flushed before each load, and one after it, which need not be flushed: as
 * long as the machine runs, what was written is there.
 */
export class LoadJournal {
  readonly #file: Deno.FsFile;
  readonly #open = new Map<number, JournalEntry>();
  #last: Promise<unknown> = Promise.resolve();
  #count = 0;
  #size = 0;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /** Opens the journal of a state folder; answers with what had not ended when it was last written. */
  static async open(
    folder: string,
  ): Promise<{ readonly journal: LoadJournal; readonly unended: JournalEntry[] }> {
    const path = join(folder, FILE);
    const text = await Deno.readTextFile(path).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    });
    const file = await Deno.open(path, { create: true, append: true, mode: 0o600 });
    return { journal: new LoadJournal(file), unended: readUnended(text) };
  }

  /** Forgets all that was; to be called once what was found is remembered elsewhere. */
  async clear(): Promise<void> {
    await this.#inTurn(() => this.#truncate());
  }

  /** Notes that a load begins; resolves, once that is on the disk, to what ends it. */
  async begin(entry: JournalEntry): Promise<() => Promise<void>> {
    const id = this.#count++;
    this.#open.set(id, entry);
    try {
      await this.#inTurn(async () => {
        await this.#append({ id, ...entry });
        await this.#file.syncData();
      });
    } catch (error) {
      this.#open.delete(id);
      throw error;
    }
    return () => this.#end(id);
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#inTurn(() => Promise.resolve(this.#file.close()));
  }

  async #end(id: number): Promise<void> {
    if (!this.#open.delete(id)) return;
    await this.#inTurn(async () => {
      if (this.#open.size === 0 && this.#size > LARGE) await this.#truncate();
      else await this.#append({ id });
    });
  }

  async #append(line: Partial<JournalEntry> & { readonly id: number }): Promise<void> {
    // With a line break in front too: after a write that was cut short, on a full disk.
    const bytes = new TextEncoder().encode(`\n${JSON.stringify(line)}\n`);
    for (let done = 0; done < bytes.length;) done += await this.#file.write(bytes.subarray(done));
    this.#size += bytes.length;
  }

  async #truncate(): Promise<void> {
    await this.#file.truncate(0);
    this.#size = 0;
  }

  #inTurn<T>(fn: () => Promise<T>): Promise<T> {
    const result = this.#last.then(fn);
    this.#last = result.catch(() => {});
    return result;
  }
}

function readUnended(text: string): JournalEntry[] {
  const open = new Map<number, JournalEntry>();
  for (const line of text.split("\n")) {
    const { id, name, scn, path } = readLine(line) ?? {};
    if (typeof id !== "number") continue;
    if (typeof name === "string" && typeof scn === "number" && typeof path === "string") {
      open.set(id, { name, scn, path });
    } else {
      open.delete(id);
    }
  }
  return [...open.values()];
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
