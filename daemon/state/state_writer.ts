import { describeError } from "../../manager/describe_error.ts";
import { HotplugError } from "../../artifact/mod.ts";
import type { StateEvent } from "../events.ts";
import { stateEvent } from "./state_events.ts";

/** How long after a change it is written, in milliseconds. */
const SOON = 20;
/** How long a write is put off at most while plugins load, in milliseconds. */
const PATIENCE = 200;
/** How long after a failure it is tried again by itself, in milliseconds. */
const RETRY = 2_000;

/**
 * Writes the state after changes: one write at a time, and one for all changes that came meanwhile.
 *
 * What can't be written stays due; that is told once, and its end.
 */
export class StateWriter {
  readonly #folder: string;
  readonly #write: () => Promise<boolean>;
  readonly #tell: (event: StateEvent) => void;
  readonly #isBusy: () => boolean;
  #due = false;
  /** All writes in a row, for as long as something is due. */
  #running: Promise<void> | undefined;
  /** The write that is under way, or was the last; and the one after it where somebody waits for that. */
  #now: Promise<void> | undefined;
  #next: PromiseWithResolvers<void> | undefined;
  #fault: unknown;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /**
   * Makes a writer with nothing to write; while plugins load it is busy, and changes follow. What writes
   * answers with whether all that is needed is there then.
   */
  constructor(
    folder: string,
    write: () => Promise<boolean>,
    tell: (event: StateEvent) => void,
    isBusy: () => boolean = () => false,
  ) {
    this.#folder = folder;
    this.#write = write;
    this.#tell = tell;
    this.#isBusy = isBusy;
  }

  /** Whether all that was noted is on the disk. */
  get isWritten(): boolean {
    return !this.#due && !this.#running;
  }

  /** Notes a change; it is written soon. */
  changed(): void {
    this.#due = true;
    if (this.#closed || this.#running || this.#soon !== undefined) return;
    // Loads of many plugins at once are one write, and don't wait for the disk because of it.
    this.#beginSoon(PATIENCE);
  }

  /**
   * Resolves once all changes so far are on the disk.
   *
   * @throws {HotplugError} `state` where they could not be written, `closed` where they came too late for that.
   */
  async saved(): Promise<void> {
    if (this.#due && this.#closed) {
      if (this.#fault === undefined) throw new HotplugError("closed", "The state is closed");
    } else if (this.#due) {
      // Not those that follow it: with one change after the other there is no end of them.
      const { promise } = this.#next ??= Promise.withResolvers();
      void this.#begin();
      await promise;
    } else {
      await this.#now;
    }
    if (this.#fault !== undefined) throw this.#error();
  }

  /** Notes that something besides could not be written; told as the state's own failures. */
  failed(fault: unknown): void {
    const before = this.#fault;
    this.#fault = fault;
    if (before === undefined) this.#tell(stateEvent("unwritable", this.#error().message));
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => this.changed(), RETRY);
  }

  /** Writes what is due, if it can, and begins nothing more. */
  async close(): Promise<void> {
    await this.#running;
    // Once more what failed, since it is the last chance.
    if (this.#due && !this.#closed) await this.#begin();
    this.#closed = true;
    clearTimeout(this.#soon);
    clearTimeout(this.#timer);
    // That of who has asked for one in that very moment.
    await this.#running;
  }

  #beginSoon(patience: number): void {
    this.#soon = setTimeout(() => {
      if (this.#isBusy() && patience > SOON) this.#beginSoon(patience - SOON);
      else void this.#begin();
    }, SOON);
  }

  #begin(): Promise<void> {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    return this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // In a turn of its own: changes of one turn are one write.
    await Promise.resolve();
    let isFine = true;
    while (this.#due && isFine) {
      this.#due = false;
      const { promise, resolve } = this.#next ?? Promise.withResolvers();
      this.#next = undefined;
      this.#now = promise;
      isFine = await this.#writeOnce();
      resolve();
    }
    // What came while it failed has failed as well.
    this.#next?.resolve();
    this.#next = undefined;
    this.#running = undefined;
  }

  async #writeOnce(): Promise<boolean> {
    try {
      this.#succeeded(await this.#write());
      return true;
    } catch (fault) {
      this.#due = true;
      this.failed(fault);
      return false;
    }
  }

  #succeeded(isWhole: boolean): void {
    if (this.#fault === undefined) return;
    this.#fault = undefined;
    const what = isWhole ? "All is written down" : "What is left to be kept is written down";
    this.#tell(stateEvent("writable", `${what} in "${this.#folder}" again`));
  }

  #error(): HotplugError {
    return new HotplugError(
      "state",
      `Cannot write the state in "${this.#folder}": ${describeError(this.#fault)}; the ` +
        "last changes are in effect, but a restart would not know of them; see that there is space, and " +
        "it can be written to",
      { cause: this.#fault },
    );
  }
}
