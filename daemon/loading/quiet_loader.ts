import type { ErrorCode } from "../../artifact/mod.ts";
import type { Loader } from "./loader.ts";
import type { MutedFailures } from "./muted_failures.ts";

/** What a quiet loader works with. */
export interface QuietWorld {
  /** What opens the artifacts. */
  readonly loader: Pick<Loader, "reopen">;
  /** What tells only of failures that are news. */
  readonly muted: MutedFailures;
}

/** Reopens artifacts, and has each way in which one fails told once. */
export class QuietLoader {
  readonly #world: QuietWorld;
  readonly #told = new Set<string>();

  /** Makes it out of one that tells of each failure. */
  constructor(world: QuietWorld) {
    this.#world = world;
  }

  /** Opens what was current in an earlier process; see {@linkcode Loader.reopen}. */
  readonly reopen: Loader["reopen"] = (path, ...how) => {
    const isNews = (code: ErrorCode): boolean => {
      const isNew = !this.#told.has(`${code} ${path}`);
      this.#told.add(`${code} ${path}`);
      return isNew;
    };
    return this.#world.muted.mute(path, isNews, () => this.#world.loader.reopen(path, ...how));
  };

  /** Has all that fails from now on told again. */
  forget(): void {
    this.#told.clear();
  }
}
