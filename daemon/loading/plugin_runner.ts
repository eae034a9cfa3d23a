import { setImmediate } from "node:timers";
import { join } from "@std/path";
import { type ErrorCode, HotplugError, type Scn } from "../../artifact/mod.ts";
import { type Candidate, isFinal, type PluginManager } from "../../manager/mod.ts";
import { type ArtifactMarks, marksOf } from "./artifact_marks.ts";
import type { RetriedEvent } from "../events.ts";
import { type FoundChoice, isLeftOut } from "../scan/found_choice.ts";
import type { Loader } from "./loader.ts";
import { type Backoff, type Failure, FailureLog, isNewsAfter } from "./failure_log.ts";
import { PatientLoad } from "./patient_load.ts";
import { Settling } from "./settling.ts";
import { isNewsOfTwin, TwinLog } from "./twin_log.ts";

/** What a runner needs of its daemon. */
export interface RunnerWorld {
  /** What opens the artifacts. */
  readonly manager: Pick<Loader, "open"> & Pick<PluginManager, "current">;
  /** The pauses between tries. */
  readonly backoff: Backoff;
  /** How long what may be half written must stand still, in milliseconds. */
  readonly bareSettle: number;
  /** How long a load may go on while a newer artifact waits for its turn, in milliseconds. */
  readonly patience: number;
  /** Runs the function, and of what it refuses tells only that with a code that is news. */
  muted<T>(path: string, isNews: (code: ErrorCode) => boolean, fn: () => Promise<T>): Promise<T>;
  /** Whether a version is kept out: by a rollback or a freeze, or in quarantine. */
  isHeld(name: string, scn: Scn): boolean;
  /** Told when none of a plugin's candidates is current, so that older ones are looked for. */
  exhausted(name: string): void;
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
  readonly #settling: Settling;
  readonly #twins = new TwinLog();
  #choice: FoundChoice | undefined;
  #load: PatientLoad | undefined;
  /** How many loads in a row were given up for a newer one. */
  #givenUp = 0;
  #pending = false;
  #running: Promise<void> | undefined;
  /** Until what is to be opened of the newest choice is. */
  #opening: PromiseWithResolvers<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** Makes a runner that waits for a choice. */
  constructor(world: RunnerWorld) {
    this.#world = world;
    this.#failures = new FailureLog(world.backoff);
    this.#settling = new Settling(world.bareSettle);
  }

  /** Whether there is nothing left for it to do, or to remember. */
  get idle(): boolean {
    return !this.#running && this.#failures.paths().length === 0 && this.#twins.isEmpty;
  }

  /** What does not load; not what was let in, or superseded, since it was tried. */
  get failures(): Failure[] {
    const choice = this.#choice;
    const current = choice && this.#world.manager.current(choice.name)?.scn;
    if (!choice || current === undefined) return this.#failures.list();
    const there = new Set([...choice.candidates, ...choice.twins].map(pathOf));
    return [
      ...this.#failures.list().filter(({ scn }) => scn > current),
      ...this.#twins.conflicts(current).filter(({ path }) => there.has(path)),
    ];
  }

  /** Whether a version has failed, and the end of that is yet to be told. */
  follows(scn: Scn): boolean {
    return this.#failures.list().some((each) => each.scn === scn);
  }

  /** Works through the choice; a run that is under way is followed by one with this choice. */
  update(choice: FoundChoice): void {
    this.#choice = choice;
    this.#pending = true;
    this.#opening ??= Promise.withResolvers();
    if (this.#load && this.#isNewerWaiting(choice, this.#load.scn)) this.#load.hurry();
    this.#running ??= this.#run();
  }

  /** Ends the retries of what is current by now, or older: somebody else has opened something. */
  superseded(): void {
    if (this.#choice) this.#forgetGone(this.#choice);
  }

  /** Lets what waits for others than itself be judged anew with the next choice; answers with whether some does. */
  judgeAnew(): boolean {
    return this.#failures.expireHeld();
  }

  /** Lets what failed be tried again with the next choice. */
  retry(): void {
    this.#failures.expire();
  }

  /**
   * Resolves when of its newest choice what is to be opened is, or has failed to; copies of what is
   * current are yet to be compared with it.
   */
  async opened(): Promise<void> {
    await Promise.race([this.#opening?.promise, this.#running]);
  }

  /** Resolves when it has worked through its newest choice. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Waits for the run that is under way, and begins no other. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#pending && !this.#closed) {
      this.#pending = false;
      clearTimeout(this.#timer);
      const choice = this.#choice as FoundChoice;
      this.#forgetGone(choice);
      this.#settling.keep([...choice.candidates, ...choice.twins].map(pathOf));
      const unsettled = await this.#openFirst(choice);
      // What loaded supersedes what failed before it.
      this.#forgetGone(choice);
      this.#tellOpened();
      // In a later turn, so that whoever waits for what was to be opened goes on first.
      await new Promise((resolve) => setImmediate(resolve));
      this.#wakeIn(Math.min(unsettled, await this.#lookAtTwins(choice)));
    }
    this.#running = undefined;
  }

  #tellOpened(): void {
    if (this.#pending) return;
    this.#opening?.resolve();
    this.#opening = undefined;
  }

  /** Opens the first candidate that loads; answers with how long an unsettled one needs. */
  async #openFirst(choice: FoundChoice): Promise<number> {
    let wait = Infinity;
    for (const candidate of choice.candidates) {
      // A newer choice may make this one's further candidates needless.
      if (this.#pending || this.#closed) break;
      // Made current since the choice was: then it is no candidate any more, nor what follows it.
      if (candidate.parts.scn <= (this.#world.manager.current(choice.name)?.scn ?? 0)) return wait;
      const path = pathOf(candidate);
      const marks = await marksOf(candidate);
      // What is gone is no candidate at the next listing.
      if (!marks) this.#failures.postpone(path, performance.now());
      if (!marks || !this.#failures.mayTry(path, marks, performance.now())) continue;
      const unsettled = this.#unsettledFor(path, marks);
      if (unsettled > 0) wait = Math.min(wait, unsettled);
      else if (await this.#open(candidate.parts.scn, path, marks)) return wait;
    }
    if (!this.#pending && !this.#closed) this.#world.exhausted(choice.name);
    return wait;
  }

  /** What has no info file, or an empty one, or failed and is written to, may be half copied. */
  #unsettledFor(path: string, marks: ArtifactMarks): number {
    if (marks.info && marks.info.size > 0 && !this.#failures.isRewritten(path, marks)) return 0;
    return this.#settling.needs(path, marks.text, marks.latest);
  }

  async #open(scn: Scn, path: string, marks: ArtifactMarks): Promise<boolean> {
    const known = this.#failures.known(path, marks);
    const isNews = (code: ErrorCode): boolean => isNewsAfter(known, code);
    const load = this.#load = this.#beginLoad(scn, path);
    try {
      const { signal } = load;
      const begins = (): void => load.begin();
      const how = { signal, begins };
      await this.#world.muted(path, isNews, () => this.#world.manager.open(path, how));
      this.#givenUp = 0;
    } catch (error) {
      if (load.hasBegun && load.signal.aborted) this.#givenUp++;
      if (!(error instanceof HotplugError)) throw error;
      if (error.code === "closed") return true;
      // What was passed over may yet be tried, where the newer one does not load.
      if (error.code === "outdated") return !load.hasBegun || this.#endRetries(path, "superseded");
      const failure = this.#failures.add(path, scn, marks, error, performance.now());
      const isEnd = known && !isFinal(known.code) && failure.retryAt === Infinity;
      if (isEnd) this.#world.retried(failure, "failed");
      return false;
    } finally {
      load.end();
      this.#load = undefined;
    }
    this.#twins.begin(path, marks);
    return this.#endRetries(path, "loaded");
  }

  #beginLoad(scn: Scn, path: string): PatientLoad {
    // More of it each time, so that what loads slowly gets through a stream of ever newer ones.
    return new PatientLoad(scn, path, this.#world.patience * 2 ** Math.min(this.#givenUp, 10));
  }

  /** Not so what is known to fail, or may have to settle: nothing is gained by making way for it. */
  #isNewerWaiting({ candidates }: FoundChoice, scn: Scn): boolean {
    return candidates.some((each) =>
      each.parts.scn > scn && !each.bare && !this.#failures.has(pathOf(each))
    );
  }

  #endRetries(path: string, outcome: RetriedEvent["outcome"]): true {
    const failure = this.#failures.take(path);
    if (failure && failure.retryAt !== Infinity) {
      const attempts = failure.attempts + (outcome === "loaded" ? 1 : 0);
      this.#world.retried({ ...failure, attempts }, outcome);
    }
    return true;
  }

  /** Ends the retries of what is no candidate any more. */
  #forgetGone(choice: FoundChoice): void {
    if (this.#failures.paths().length === 0) return;
    const current = this.#world.manager.current(choice.name)?.scn ?? 0;
    const still = new Set(
      choice.candidates.filter(({ parts }) => parts.scn > current).map(pathOf),
    );
    for (const failure of this.#failures.list()) {
      const { path, scn } = failure;
      if (still.has(path)) continue;
      // Not gone, but out of sight behind newer ones; it is looked for where none of these loads.
      if (scn > current && isLeftOut(choice, scn)) continue;
      this.#failures.take(path);
      if (failure.retryAt === Infinity) continue;
      this.#world.retried(failure, this.#whyGone(choice.name, failure));
    }
  }

  #whyGone(name: string, { scn }: Failure): RetriedEvent["outcome"] {
    const current = this.#world.manager.current(name);
    // By who has approved it, or has reopened the same.
    if (current?.scn === scn) return "loaded";
    if (scn <= (current?.scn ?? 0)) return "superseded";
    return this.#world.isHeld(name, scn) ? "held" : "removed";
  }

  /**
   * Opens, once for each state of the file, what has the current generation's SCN: an info file
   * that came late completes its record, other content is a conflict. Answers with how long an
   * unsettled one needs.
   */
  async #lookAtTwins(choice: FoundChoice): Promise<number> {
    const scn = this.#world.manager.current(choice.name)?.scn;
    let wait = Infinity;
    // Candidates too: what was one of several when the choice was made may be the current one now.
    for (const twin of [...choice.twins, ...choice.candidates]) {
      if (this.#closed || twin.parts.scn !== scn) continue;
      const path = pathOf(twin);
      const marks = await marksOf(twin);
      if (!marks || this.#twins.knows(path, marks)) continue;
      // In any case, since it is no matter of haste: a half-written twin would pass for a conflict.
      const unsettled = this.#settling.needs(path, marks.text, marks.artifact);
      if (unsettled > 0) {
        wait = Math.min(wait, unsettled);
        continue;
      }
      this.#twins.add(path, marks);
      await this.#world.muted(path, isNewsOfTwin, () => this.#world.manager.open(path))
        .catch((error) => {
          if (!(error instanceof HotplugError)) throw error;
          this.#twins.refused(path, twin.parts.scn, marks, error);
        });
    }
    return wait;
  }

  #wakeIn(unsettled: number): void {
    const choice = this.#choice;
    const retry = this.#failures.nextRetry(({ scn }) => !choice || !isLeftOut(choice, scn));
    const wait = Math.min(unsettled, retry === undefined ? Infinity : retry - performance.now());
    if (wait === Infinity || this.#closed) return;
    this.#timer = setTimeout(() => {
      if (this.#choice && !this.#closed) this.update(this.#choice);
    }, Math.min(Math.max(wait, 1), MAX_TIMER));
  }
}

function pathOf({ directory, file }: Candidate): string {
  return join(directory, file);
}
