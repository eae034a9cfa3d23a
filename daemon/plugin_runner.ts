import { join } from "@std/path";
import { HotplugError, infoFileName, type Scn } from "../artifact/mod.ts";
import type { Candidate, Choice, PluginManager } from "../manager/mod.ts";
import { type FileMark, markOf, unsettledFor } from "../manager/settle.ts";
import type { RetriedEvent } from "./events.ts";
import { type Backoff, type Failure, FailureLog } from "./failure_log.ts";

/** What a runner needs of its daemon. */
export interface RunnerWorld {
  /** What opens the artifacts. */
  readonly manager: Pick<PluginManager, "open" | "current">;
  /** The pauses between tries. */
  readonly backoff: Backoff;
  /** How long a bare module must stand still, in milliseconds. */
  readonly bareSettle: number;
  /** Runs the function without telling of what it refuses with one of these codes. */
  muted<T>(path: string, codes: "all" | "outdated", fn: () => Promise<T>): Promise<T>;
  /** Told when the retries of an artifact end. */
  retried(failure: Failure, outcome: RetriedEvent["outcome"]): void;
}

/** What a timer may wait for, in milliseconds. */
const MAX_TIMER = 2 ** 31 - 1;

/**
 * Opens one plugin's artifacts, one at a time: always by the newest choice, from the newest
 * candidate down, until one loads.
 */
export class PluginRunner {
  readonly #world: RunnerWorld;
  readonly #failures: FailureLog;
  /** The marks of the files with the current generation's SCN that were looked at. */
  readonly #twins = new Map<string, string>();
  #choice: Choice | undefined;
  #pending = false;
  #running: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** Makes a runner that waits for a choice. */
  constructor(world: RunnerWorld) {
    this.#world = world;
    this.#failures = new FailureLog(world.backoff);
  }

  /** Whether there is nothing left for it to do, or to remember. */
  get idle(): boolean {
    return !this.#running && this.#failures.paths().length === 0 && this.#twins.size === 0;
  }

  /** Works through the choice; a run that is under way is followed by one with this choice. */
  update(choice: Choice): Promise<void> {
    this.#choice = choice;
    this.#pending = true;
    return this.#running ??= this.#run();
  }

  /** Waits for the run that is under way, and begins no other. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#pending && !this.#closed) {
      this.#pending = false;
      const choice = this.#choice as Choice;
      this.#forgetGone(choice);
      const wait = await this.#openFirst(choice);
      await this.#lookAtTwins(choice);
      this.#wakeIn(wait);
    }
    this.#running = undefined;
  }

  /** Opens the first candidate that loads; answers with how long an unsettled one needs. */
  async #openFirst(choice: Choice): Promise<number> {
    let wait = Infinity;
    for (const candidate of choice.candidates) {
      // A newer choice may make this one's further candidates needless.
      if (this.#pending || this.#closed) break;
      const path = join(candidate.directory, candidate.file);
      const marks = await marksOf(candidate);
      if (!marks.artifact) continue;
      if (!this.#failures.mayTry(path, marks.text, Date.now())) continue;
      // No info file: it may be half copied.
      if (!marks.info) {
        const unsettled = unsettledFor(marks.artifact, this.#world.bareSettle, Date.now());
        wait = Math.min(wait, unsettled || Infinity);
        if (unsettled > 0) continue;
      }
      if (await this.#open(candidate.parts.scn, path, marks.text)) return Infinity;
    }
    return wait;
  }

  async #open(scn: Scn, path: string, mark: string): Promise<boolean> {
    const known = this.#failures.known(path, mark);
    try {
      await this.#world.muted(
        path,
        known ? "all" : "outdated",
        () => this.#world.manager.open(path),
      );
    } catch (error) {
      if (!(error instanceof HotplugError)) throw error;
      if (error.code === "closed") return true;
      if (error.code === "outdated") return this.#supersede(path);
      const failure = this.#failures.add(path, scn, mark, error, Date.now());
      if (known && failure.retryAt === Infinity) this.#world.retried(failure, "failed");
      return false;
    }
    this.#twins.clear();
    this.#twins.set(path, mark);
    const failure = this.#failures.take(path);
    if (failure && failure.retryAt !== Infinity) this.#world.retried(failure, "loaded");
    return true;
  }

  #supersede(path: string): true {
    const failure = this.#failures.take(path);
    if (failure && failure.retryAt !== Infinity) this.#world.retried(failure, "superseded");
    return true;
  }

  /** Ends the retries of what is no candidate any more. */
  #forgetGone(choice: Choice): void {
    const paths = new Set(choice.candidates.map((each) => join(each.directory, each.file)));
    const current = this.#world.manager.current(choice.name)?.scn ?? 0;
    for (const path of this.#failures.paths()) {
      if (paths.has(path)) continue;
      const failure = this.#failures.take(path) as Failure;
      if (failure.retryAt === Infinity) continue;
      this.#world.retried(failure, failure.scn <= current ? "superseded" : "removed");
    }
  }

  /**
   * Opens, once for each state of the file, what has the current generation's SCN: an info file
   * that came late completes its record, other content is a conflict.
   */
  async #lookAtTwins(choice: Choice): Promise<void> {
    const scn = this.#world.manager.current(choice.name)?.scn;
    for (const twin of choice.twins) {
      if (this.#closed || twin.parts.scn !== scn) continue;
      const path = join(twin.directory, twin.file);
      const marks = await marksOf(twin);
      if (!marks.artifact || this.#twins.get(path) === marks.text) continue;
      if (!marks.info && unsettledFor(marks.artifact, this.#world.bareSettle, Date.now()) > 0) {
        continue;
      }
      this.#twins.set(path, marks.text);
      await this.#world.muted(path, "outdated", () => this.#world.manager.open(path))
        .catch((error) => {
          if (!(error instanceof HotplugError)) throw error;
        });
    }
  }

  #wakeIn(unsettled: number): void {
    const retry = this.#failures.nextRetry();
    const wait = Math.min(unsettled, retry === undefined ? Infinity : retry - Date.now());
    if (wait === Infinity || this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#choice && !this.#closed) void this.update(this.#choice);
    }, Math.min(Math.max(wait, 1), MAX_TIMER));
  }
}

interface Marks {
  readonly artifact: FileMark | undefined;
  readonly info: FileMark | undefined;
  /** Both as one text, to compare. */
  readonly text: string;
}

async function marksOf({ directory, file, parts }: Candidate): Promise<Marks> {
  const [artifact, info] = await Promise.all([
    markOf(join(directory, file)),
    markOf(join(directory, infoFileName(parts))),
  ]);
  const text = [artifact, info]
    .map((mark) => mark ? `${mark.inode}:${mark.size}:${mark.time}` : "-")
    .join("|");
  return { artifact, info, text };
}
