import { basename } from "@std/path";
import { HotplugError, type Scn } from "../../artifact/mod.ts";

/**
 * One load that is under way, with a signal that gives it up.
 *
 * A top level that never settles would hold up the plugin's next version until the deadline; so
 * once a newer one waits, the load has only so long.
 */
export class PatientLoad {
  /** The sequence change number of what loads. */
  readonly scn: Scn;
  readonly #path: string;
  readonly #patience: number;
  readonly #began = performance.now();
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins; the patience is counted from now, in milliseconds. */
  constructor(scn: Scn, path: string, patience: number) {
    this.scn = scn;
    this.#path = path;
    this.#patience = patience;
  }

  /** Aborted when the load is to be given up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Gives it up when the patience is over. */
  hurry(): void {
    const left = this.#patience - (performance.now() - this.#began);
    this.#timer ??= setTimeout(() => this.#controller.abort(this.#reason()), Math.max(0, left));
  }

  /** Ends it: it is done, well or not. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #reason(): HotplugError {
    return new HotplugError(
      "deadline",
      `Gave up loading "${
        basename(this.#path)
      }": it did not end within ${this.#patience} ms, and a ` +
        "newer one waits; do slow work in the background",
    );
  }
}
