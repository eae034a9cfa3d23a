import { type Entry, readEntry } from "../../manager/artifacts/read_entry.ts";

/**
 * Remembers what file names say, from one scan to the next: reading thousands of them anew each
 * time would be most of a scan's work. What a scan did not meet is forgotten with the next one.
 */
export class EntryMemory {
  #before = new Map<string, Entry>();
  #now = new Map<string, Entry>();

  /** Begins a scan. */
  turn(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }

  /** What the name says. */
  read(file: string): Entry {
    const entry = this.#now.get(file) ?? this.#before.get(file) ?? readEntry(file);
    this.#now.set(file, entry);
    return entry;
  }
}
