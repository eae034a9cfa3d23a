import type { ErrorCode, HotplugError, Scn } from "../../artifact/mod.ts";
import { isFinal } from "../../manager/mod.ts";
import type { ArtifactMarks } from "./artifact_marks.ts";

/** One artifact that failed, and what is to be done about it. */
export interface Failure {
  /** The artifact. */
  readonly path: string;
  /** Its sequence change number. */
  readonly scn: Scn;
  /** The artifact's and info file's marks at the last try; other marks are another try. */
  readonly marks: Pick<ArtifactMarks, "text" | "files">;
  /** How often it was tried. */
  readonly attempts: number;
  /** The code of the last failure. */
  readonly code: ErrorCode;
  /** When to try again, in milliseconds of `performance.now()`; never where it fails for good. */
  readonly retryAt: number;
}

/** The pauses between tries, in milliseconds. */
export interface Backoff {
  /** The first one. */
  readonly retryMin: number;
  /** The longest one. */
  readonly retryMax: number;
}

/**
 * The failures of one plugin's artifacts, by path.
 *
 * Those of the final kind wait for another file, those of the passing kind for their time.
 */
export class FailureLog {
  readonly #failures = new Map<string, Failure>();
  readonly #backoff: Backoff;

  /** Makes a log with nothing in it. */
  constructor(backoff: Backoff) {
    this.#backoff = backoff;
  }

  /** Whether the artifact is worth a try now. */
  mayTry(path: string, marks: Failure["marks"], now: number): boolean {
    const failure = this.known(path, marks);
    return !failure || failure.retryAt <= now;
  }

  /** The failure of the file as it is, if it failed: then another one is no news. */
  known(path: string, marks: Failure["marks"]): Failure | undefined {
    const failure = this.#failures.get(path);
    return failure?.marks.text === marks.text ? failure : undefined;
  }

  /** Whether the artifact failed, in whatever state. */
  has(path: string): boolean {
    return this.#failures.has(path);
  }

  /** Whether what failed is written to, and not replaced: then the writer may not be done. */
  isRewritten(path: string, marks: Failure["marks"]): boolean {
    const before = this.#failures.get(path)?.marks;
    return before !== undefined && before.text !== marks.text && before.files === marks.files;
  }

  /** Notes a failed try. */
  add(
    path: string,
    scn: Scn,
    { text, files }: Failure["marks"],
    { code }: HotplugError,
    now: number,
  ): Failure {
    const attempts = (this.known(path, { text, files })?.attempts ?? 0) + 1;
    const retryAt = isFinal(code) ? Infinity : now + this.#pauseAfter(attempts);
    const failure = { path, scn, marks: { text, files }, attempts, code, retryAt };
    this.#failures.set(path, failure);
    return failure;
  }

  /** Puts the next try off by another pause, where its time has come. */
  postpone(path: string, now: number): void {
    const failure = this.#failures.get(path);
    if (!failure || failure.retryAt > now) return;
    this.#failures.set(path, { ...failure, retryAt: now + this.#pauseAfter(failure.attempts) });
  }

  /** Makes all worth a try now. */
  expire(): void {
    for (const [path, failure] of this.#failures) {
      this.#failures.set(path, { ...failure, marks: { text: "", files: "" }, retryAt: 0 });
    }
  }

  /**
   * Makes what waits for an approval, or for what has its SCN to leave memory, worth a try now; answers with
   * whether there is some.
   */
  expireHeld(): boolean {
    let isSome = false;
    for (const [path, failure] of this.#failures) {
      if (!isWaiting(failure.code) && failure.code !== "conflict") continue;
      this.#failures.set(path, { ...failure, retryAt: 0 });
      isSome = true;
    }
    return isSome;
  }

  /** Forgets an artifact; answers with its failure. */
  take(path: string): Failure | undefined {
    const failure = this.#failures.get(path);
    this.#failures.delete(path);
    return failure;
  }

  /** The artifacts that failed. */
  paths(): string[] {
    return [...this.#failures.keys()];
  }

  /** All failures. */
  list(): Failure[] {
    return [...this.#failures.values()];
  }

  /** When the next passing failure, of those that count, is to be tried again; undefined if none is. */
  nextRetry(counts: (failure: Failure) => boolean = () => true): number | undefined {
    const next = Math.min(...this.list().filter(counts).map((each) => each.retryAt));
    return Number.isFinite(next) ? next : undefined;
  }

  #pauseAfter(attempts: number): number {
    const { retryMin, retryMax } = this.#backoff;
    return Math.min(retryMax, retryMin * 2 ** Math.min(attempts - 1, 30));
  }
}

/**
 * Whether a try that failed is to be told of, where it may have failed before: what waited for an approval
 * and does not load is told of anew, and the other way round.
 */
export function isNewsAfter(known: Failure | undefined, code: ErrorCode): boolean {
  return code !== "outdated" && (!known || isWaiting(known.code) !== isWaiting(code));
}

function isWaiting(code: ErrorCode): boolean {
  return code === "approval-required";
}
