import { HotplugError } from "../artifact/mod.ts";
import { makeWorkFolder, type WorkFolder } from "./work_folder.ts";

/** A request to build, from its first byte until its files are gone. */
export class ServiceJob {
  /** Counts the requests. */
  readonly id: number;
  /** Aborted once nobody wants the build any more. */
  readonly signal: AbortSignal;
  readonly #began = performance.now();
  readonly #stop = new AbortController();
  readonly #gone: AbortSignal;
  readonly #late: ReturnType<typeof setTimeout>;
  readonly #ended = Promise.withResolvers<void>();
  #folder: Promise<WorkFolder> | undefined;

  /** Begins, for who goes away when `gone` is aborted. */
  constructor(id: number, gone: AbortSignal, timeLimit: number) {
    this.id = id;
    this.#gone = gone;
    this.signal = AbortSignal.any([gone, this.#stop.signal]);
    this.#late = setTimeout(() => this.stop(tooLate(timeLimit)), timeLimit);
  }

  /** How long it has been here, in whole milliseconds. */
  get age(): number {
    return Math.round(performance.now() - this.#began);
  }

  /** Whether who asked went away before there was an answer. */
  get abandoned(): boolean {
    return this.#gone.aborted && !this.#stop.signal.aborted;
  }

  /** Resolves when nothing of it is left. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Makes its folder; the path of it. */
  async folder(): Promise<string> {
    this.#folder ??= makeWorkFolder();
    return (await this.#folder).path;
  }

  /** Gives it up, for that reason. */
  stop(reason: HotplugError): void {
    this.#stop.abort(reason);
  }

  /** Removes what it left. */
  async end(): Promise<void> {
    clearTimeout(this.#late);
    try {
      await (await this.#folder)?.[Symbol.asyncDispose]();
    } catch {
      // The next build on this machine sweeps it.
    } finally {
      this.#ended.resolve();
    }
  }
}

function tooLate(timeLimit: number): HotplugError {
  return new HotplugError(
    "deadline",
    `Cannot build: it takes longer than the ${timeLimit} ms that the build service allows`,
  );
}
