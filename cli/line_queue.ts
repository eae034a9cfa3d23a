import type { Io } from "./io.ts";
import { printable } from "./printable.ts";
import { someTime } from "./some_time.ts";

/** So many characters wait for who reads; of the lines on top of that only the number is told. */
const MOST = 1024 * 1024;
/** No more is written at a time, where a line is not longer: so it is seen whether somebody reads. */
const AT_A_TIME = 4096;
/** How long the end waits for who has stopped to read, in milliseconds. */
const PATIENCE = 1_000;
/** How long it waits for who reads, but slowly. */
const MOST_PATIENCE = 5_000;
/** No more often than that it is told how many lines were left out, while more are. */
const PAUSE = 1_000;

/**
 * Writes the lines of what serves, in their order and while it goes on serving: who reads them may be slow,
 * or stand still, as a pager does, or a terminal after ctrl-s.
 *
 * It prints what can be printed: a full disk is no reason to end what serves, either.
 */
export class LineQueue implements AsyncDisposable {
  readonly #out: (text: string) => void | Promise<void>;
  readonly #errors: LineQueue;
  #waiting: string[] = [];
  /** How many lines are being written. */
  #underWay = 0;
  /** How many characters are waiting, or being written. */
  #size = 0;
  /** How often something was written. */
  #turns = 0;
  #lost = 0;
  #told = -Infinity;
  #failing = false;
  #running: Promise<void> | undefined;

  /** Makes the queue of one of the streams; what is the matter with it goes to that for errors, or to itself. */
  constructor(io: Io, stream: "stdout" | "stderr", errors?: LineQueue) {
    this.#out = io.later?.[stream] ?? io[stream];
    this.#errors = errors ?? this;
  }

  /** Writes a line, with its end, after those before it. */
  write(line: string): void {
    // One that is longer than all is let in where nothing waits.
    if (this.#size > 0 && this.#size + line.length > MOST) return void this.#lost++;
    this.#push(line);
  }

  /** Waits until all is written, or it is clear that nobody reads. */
  async [Symbol.asyncDispose](): Promise<void> {
    const end = performance.now() + MOST_PATIENCE;
    let before = -1;
    while (this.#running && this.#turns > before && performance.now() < end) {
      before = this.#turns;
      await someTime(this.#running, PATIENCE);
    }
    this.#lost += this.#underWay + this.#waiting.length;
    this.#waiting = [];
    // Nobody reads it, where it is this stream itself.
    if (this.#errors !== this) this.#tellLost();
  }

  #push(line: string): void {
    this.#waiting.push(line);
    this.#size += line.length;
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const text = this.#take();
      try {
        await this.#out(text);
        this.#failing = false;
      } catch (error) {
        // Once, until it works again: a line for each would fill what is left.
        if (!this.#failing) this.#errors.write(`error: ${printable((error as Error).message)}\n`);
        this.#failing = true;
      }
      this.#size -= text.length;
      this.#underWay = 0;
      this.#turns++;
      if (this.#waiting.length === 0 || performance.now() - this.#told > PAUSE) this.#tellLost();
    }
    this.#running = undefined;
  }

  /** Takes the lines that are written next. */
  #take(): string {
    let [size, count] = [0, 0];
    for (const { length } of this.#waiting) {
      if (count > 0 && size + length > AT_A_TIME) break;
      size += length;
      count++;
    }
    this.#underWay = count;
    return this.#waiting.splice(0, count).join("");
  }

  #tellLost(): void {
    if (this.#lost === 0) return;
    const lines = this.#lost === 1 ? "1 line was" : `${this.#lost} lines were`;
    this.#lost = 0;
    this.#told = performance.now();
    this.#errors.#push(`warning: ${lines} left out of the output: it was not read in time\n`);
  }
}
