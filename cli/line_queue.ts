import type { Io } from "./io.ts";
import { printable } from "./printable.ts";

/** So many characters wait for who reads; of the lines on top of that only the number is told. */
const MOST = 1024 * 1024;
/** How long the end waits for who reads, in milliseconds. */
const PATIENCE = 1_000;

/**
 * Writes the lines of what serves, in their order and while it goes on serving: who reads them may be slow,
 * or stand still, as a pager does, or a terminal after ctrl-s.
 *
 * It prints what can be printed: a full disk is no reason to end what serves, either.
 */
export class LineQueue implements AsyncDisposable {
  readonly #out: (text: string) => void | Promise<void>;
  readonly #tell: Io["stderr"];
  #waiting: string[] = [];
  /** How many characters are waiting, or being written. */
  #size = 0;
  #lost = 0;
  #failing = false;
  #running: Promise<void> | undefined;

  /** Makes the queue of one of the streams. */
  constructor(io: Io, stream: "stdout" | "stderr") {
    this.#out = io.later?.[stream] ?? io[stream];
    this.#tell = io.stderr;
  }

  /** Writes a line, with its end, after those before it. */
  write(line: string): void {
    // One that is longer than all is let in where nothing waits.
    if (this.#size > 0 && this.#size + line.length > MOST) return void this.#lost++;
    this.#waiting.push(line);
    this.#size += line.length;
    this.#running ??= this.#run();
  }

  /** Waits until all is written, or it is clear that nobody reads. */
  async [Symbol.asyncDispose](): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, PATIENCE));
    await Promise.race([this.#running, late]);
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const text = this.#waiting.join("");
      this.#waiting = [];
      try {
        await this.#out(text);
        this.#failing = false;
      } catch (error) {
        // Once, until it works again: a line for each would fill what is left.
        if (!this.#failing) this.#tell(`error: ${printable((error as Error).message)}\n`);
        this.#failing = true;
      }
      this.#size -= text.length;
      this.#tellLost();
    }
    this.#running = undefined;
  }

  #tellLost(): void {
    if (this.#lost === 0) return;
    const lines = this.#lost === 1 ? "1 line was" : `${this.#lost} lines were`;
    this.#lost = 0;
    this.#tell(`warning: ${lines} left out of the output: it was not read in time\n`);
  }
}
