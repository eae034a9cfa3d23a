import { byName } from "../../artifact/by_name.ts";
import type { Scn } from "../../artifact/mod.ts";
import type { ManagerEvent } from "../../manager/mod.ts";
import type { RetriedEvent } from "../events.ts";
import type { FoundChoice } from "../scan/found_choice.ts";
import type { MutedFailures } from "./muted_failures.ts";
import { retriedEvent } from "./retried_event.ts";
import { type FailingVersion, failingVersion } from "../status.ts";
import { PluginRunner, type RunnerWorld } from "./plugin_runner.ts";

/** What a pool needs of its daemon. */
export interface PoolWorld extends Omit<RunnerWorld, "muted" | "retried"> {
  /** What tells only of failures that are news. */
  readonly muted: MutedFailures;
  /** Tells those who listen. */
  emit(event: RetriedEvent): void;
}

/** The runners of all plugins: one each, as long as there is something for it to do or remember. */
export class RunnerPool {
  readonly #world: RunnerWorld;
  readonly #runners = new Map<string, PluginRunner>();

  /** Makes a pool without runners. */
  constructor(world: PoolWorld) {
    this.#world = {
      ...world,
      muted: (...what) => world.muted.mute(...what),
      retried: (failure, outcome) => world.emit(retriedEvent(failure, outcome)),
    };
  }

  /** Works through the choices; plugins that are not among them have nothing to choose from. */
  update(choices: Map<string, FoundChoice>): void {
    for (const name of this.#runners.keys()) {
      if (!choices.has(name)) choices.set(name, { name, candidates: [], skips: [], twins: [] });
    }
    // First those with something to open: the others just look at files that they know.
    const [idle, due] = partition([...choices.values()], (each) => each.candidates.length > 0);
    // In the same order after each restart: so they have the same URLs, which Deno knows by then.
    due.sort(byName);
    for (const choice of [...due, ...idle]) this.#act(choice);
  }

  /** Ends the retries of what somebody else has opened of a plugin, or superseded by that. */
  superseded(name: string): void {
    this.#runners.get(name)?.superseded();
  }

  /**
   * Lets what waits for an approval, or is a conflict, be judged anew, at the next scan: by what is in memory of
   * its plugin now, or as somebody has approved it. Answers with whether there is something.
   */
  judgeAnew(name: string): boolean {
    return this.#runners.get(name)?.judgeAnew() ?? false;
  }

  /** Whether something that was kept out may load at the next scan, after that. */
  frees(event: ManagerEvent): boolean {
    switch (event.type) {
      case "released":
      case "thawed":
        return true;
      case "loaded":
      case "rolled-back":
      case "retired":
        return this.judgeAnew(event.name);
      default:
        return false;
    }
  }

  /** Lets what failed be tried again: it may be judged otherwise now. */
  retry(): void {
    for (const runner of this.#runners.values()) runner.retry();
  }

  /** Whether a version has failed, and the end of that is yet to be told. */
  follows(name: string, scn: Scn): boolean {
    return this.#runners.get(name)?.follows(scn) ?? false;
  }

  /** The versions that do not load, sorted by name. */
  failing(): FailingVersion[] {
    return [...this.#runners].sort(([a], [b]) => a < b ? -1 : 1).flatMap(([name, { failures }]) =>
      // What waits for an approval is told as such.
      failures.filter(({ code }) => code !== "approval-required")
        .map((failure) => failingVersion(name, failure, failure.retryAt))
    );
  }

  /** Resolves when all have opened what is to be opened of their newest choice. */
  async opened(): Promise<void> {
    await Promise.all([...this.#runners.values()].map((each) => each.opened()));
  }

  /** Resolves when all have worked through their newest choice. */
  async settled(): Promise<void> {
    await Promise.all([...this.#runners.values()].map((each) => each.settled()));
  }

  /** Waits for what is under way, and begins nothing more. */
  async close(): Promise<void> {
    await Promise.all([...this.#runners.values()].map((each) => each.close()));
  }

  #act(choice: FoundChoice): void {
    const nothing = choice.candidates.length === 0 && choice.twins.length === 0;
    let runner = this.#runners.get(choice.name);
    if (nothing && (!runner || runner.idle)) {
      this.#runners.delete(choice.name);
      void runner?.close();
      return;
    }
    if (!runner) this.#runners.set(choice.name, runner = new PluginRunner(this.#world));
    runner.update(choice);
  }
}

function partition<T>(all: readonly T[], matches: (each: T) => boolean): [T[], T[]] {
  return [all.filter((each) => !matches(each)), all.filter(matches)];
}
