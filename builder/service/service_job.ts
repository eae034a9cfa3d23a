import { HotplugError } from "../../artifact/mod.ts";
import type { Outgoing } from "./service_app.ts";
import { makeWorkFolder, type WorkFolder } from "../files/work_folder.ts";

/** What {@linkcode ServiceJob} needs to know. */
export interface JobOptions {
  /** How long it may take, in milliseconds. */
  readonly timeLimit: number;
  /** Where its folder is made. */
  readonly workDir: string;
}

/** A request to build, from its first byte until its files are gone. */
export class ServiceJob {
  /** Counts the requests. */
  readonly id: number;
  /** Aborted once nobody wants the build any more. */
  readonly signal: AbortSignal;
  readonly #outgoing: Outgoing;
  readonly #workDir: string;
  readonly #began = performance.now();
  readonly #stop = new AbortController();
  readonly #gone = new AbortController();
  readonly #late: ReturnType<typeof setTimeout>;
  readonly #settled = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #isSettled = false;
  #folder: Promise<WorkFolder> | undefined;

  /** Begins, and ends when the way back closes. */
  constructor(id: number, outgoing: Outgoing, options: JobOptions) {
    const { timeLimit, workDir } = options;
    this.id = id;
    this.#outgoing = outgoing;
    this.#workDir = workDir;
    this.signal = AbortSignal.any([this.#gone.signal, this.#stop.signal]);
    outgoing.once("close", () => {
      if (!outgoing.writableFinished) this.#gone.abort(new Error("who asked has gone"));
      void this.#end();
    });
    this.#late = setTimeout(() => this.stop(tooLate(timeLimit)), timeLimit);
  }

  /** How long it has been here, in whole milliseconds. */
  get age(): number {
    return Math.round(performance.now() - this.#began);
  }

  /** Whether who asked went away before there was an answer. */
  get abandoned(): boolean {
    return this.#gone.signal.aborted && !this.#stop.signal.aborted;
  }

  /** Resolves when nothing of it is left. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Makes its folder; the path of it. */
  async folder(): Promise<string> {
    this.#folder ??= makeWorkFolder(this.#workDir);
    return (await this.#folder).path;
  }

  /** Gives it up, for that reason: whoever still reads the answer reads no further. */
  stop(reason: HotplugError): void {
    this.#stop.abort(reason);
    if (this.#isSettled) this.#outgoing.destroy();
  }

  /** Tells it that it has been dealt with, and nothing is done for it any more. */
  settle(): void {
    this.#isSettled = true;
    this.#settled.resolve();
  }

  /** Removes what it left, as soon as nothing writes there. */
  async #end(): Promise<void> {
    await this.#settled.promise;
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
