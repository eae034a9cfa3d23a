import type { Scn } from "../../artifact/mod.ts";
import type { CallSums } from "./generation_calls.ts";
import type { GenerationLife } from "./generation_life.ts";
import { overdue } from "../settings/retention.ts";

/** All that a manager has of one plugin: its generations in memory, and the queue of its loads. */
export class PluginSlot {
  readonly #lives: GenerationLife[] = [];
  /** Of all that were ever current: what is gone may still have calls that end. */
  readonly #sums: CallSums = { calls: 0, errors: 0 };
  /** Those that were current, in that order, the current one last; without those that proved bad. */
  #served: GenerationLife[] = [];
  #current: GenerationLife | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #queued = 0;
  #gate: PromiseWithResolvers<void> | undefined;
  /** How many wait at the gate. */
  #waiting = 0;
  #retirement: ReturnType<typeof setTimeout> | undefined;
  /** Nothing up to this SCN becomes current: it was rolled back from. 0 for no such hold. */
  held: Scn = 0;
  /** Whether nothing becomes current at all. */
  frozen = false;

  /** The generation that takes new calls. */
  get current(): GenerationLife | undefined {
    return this.#current;
  }

  /** The generations in memory, oldest first. */
  get lives(): readonly GenerationLife[] {
    return this.#lives;
  }

  /** The calls of all generations, those that are gone included. */
  get sums(): Readonly<CallSums> {
    return this.#sums;
  }

  /** Nothing up to this SCN becomes current by being opened. */
  get floor(): Scn {
    return Math.max(this.#current?.generation.scn ?? 0, this.held);
  }

  /** Resolves when calls may begin again; undefined where they may now. */
  get gate(): Promise<void> | undefined {
    return this.#gate && this.#passGate();
  }

  /** Whether nobody holds one of its generations, or waits to. */
  get isIdle(): boolean {
    return this.#waiting === 0 && this.#lives.every((each) => each.calls.holds.size === 0);
  }

  async #passGate(): Promise<void> {
    this.#waiting++;
    try {
      while (this.#gate) await this.#gate.promise;
    } finally {
      this.#waiting--;
    }
  }

  /** The older one that served before the current one, and did not prove bad. */
  get previous(): GenerationLife | undefined {
    const current = this.#current?.generation.scn ?? 0;
    return this.#served.findLast(({ generation }) => generation.scn < current);
  }

  /** Whether there is nothing of it: no generation, no hold, no call ever, and nothing to come. */
  get isEmpty(): boolean {
    const isHeld = this.frozen || this.held > 0;
    return this.#lives.length === 0 && !isHeld && this.#sums.calls === 0 && this.#queued === 0;
  }

  /** Runs the function once all that were queued before are done. */
  enqueue<T>(fn: () => Promise<T>): Promise<T> {
    this.#queued++;
    const result = this.#last.then(fn).finally(() => this.#queued--);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Lets calls by a handle wait until the returned function is called. */
  pause(): () => void {
    const gate = this.#gate = Promise.withResolvers();
    return () => {
      if (this.#gate === gate) this.#gate = undefined;
      gate.resolve();
    };
  }

  /** Makes the generation the current one; calls that began before end on the old one. */
  flip(next: GenerationLife): GenerationLife | undefined {
    const previous = this.#current;
    if (!this.#lives.includes(next)) {
      this.#lives.push(next);
      next.calls.countIn(this.#sums);
    }
    // What was opened anew, by other settings, is no version to go back to from itself.
    this.#served = this.#served.filter(({ generation }) => generation.scn !== next.generation.scn);
    this.#served.push(next);
    this.#current = next;
    next.promote();
    return previous;
  }

  /** Holds everything up to the generation: it proved bad. */
  condemn(bad: GenerationLife): void {
    this.held = Math.max(this.held, bad.generation.scn);
    remove(this.#served, bad);
  }

  /** Retires what the retention does not keep; answers with what it retired. */
  async retire(now: number): Promise<GenerationLife[]> {
    const retention = this.#current?.settings.retention;
    if (!retention) return [];
    const refuge = this.#refuge(now);
    // What nothing goes back to by itself goes before what something may.
    const bad = this.#lives.filter((each) => !this.#served.includes(each));
    const all = [...bad, ...this.#served].map((life) => ({
      life,
      bytes: life.bytes,
      parkedAt: life === refuge ? undefined : life.parkedAt,
      isLeaving: bad.includes(life),
    }));
    const gone = overdue(all, retention, now).map(({ life }) => life);
    for (const life of gone) {
      remove(this.#lives, life);
      remove(this.#served, life);
    }
    await Promise.all(gone.map((life) => life.retire()));
    return gone;
  }

  /**
   * When the next one may be kept no more, in milliseconds since the epoch: it is too old, or a
   * probation is over; `Infinity` if none.
   */
  nextRetirement(now: number): number {
    const refuge = this.#refuge(now);
    const age = this.#current?.settings.retention.age ?? Infinity;
    const parked = this.#lives.filter((each) => each !== refuge)
      .map(({ parkedAt }) => parkedAt ?? Infinity);
    return Math.min(refuge ? this.#probationEnd : Infinity, Math.min(Infinity, ...parked) + age);
  }

  /** What the current one goes back to should it fail its probation: kept until that is over. */
  #refuge(now: number): GenerationLife | undefined {
    return now <= this.#probationEnd ? this.previous : undefined;
  }

  get #probationEnd(): number {
    const window = this.#current?.settings.probation?.window;
    return window === undefined ? 0 : (this.#current?.since ?? 0) + window;
  }

  /** Calls the function at the time; a second call takes the place of the first. */
  wakeAt(time: number, fn: () => void): void {
    clearTimeout(this.#retirement);
    if (time === Infinity) return;
    this.#retirement = setTimeout(fn, Math.max(1, time - Date.now()));
    this.#retirement.unref();
  }

  /** Ends all generations. */
  async close(): Promise<void> {
    clearTimeout(this.#retirement);
    await Promise.all(this.#lives.map((each) => each.close()));
    this.#lives.length = 0;
    this.#served = [];
    this.#current = undefined;
    this.#gate?.resolve();
  }
}

function remove<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
}
