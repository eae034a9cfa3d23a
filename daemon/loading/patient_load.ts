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
  #began: number | undefined;
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Makes one that waits for its turn; the patience is in milliseconds. */
  constructor(scn: Scn, path: string, patience: number) {
    this.scn = scn;
    this.#path = path;
    this.#patience = patience;
  }

  /** Aborted when the load is to be given up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether its turn has come. */
  get hasBegun(): boolean {
    return this.#began !== undefined;
  }

  /** Its turn has come: the patience is counted from now on, unless it was passed over. */
  begin(): void {
    if (!this.signal.aborted) this.#began = performance.now();
  }

  /** Gives it up when the patience is over, and at once where its turn is yet to come. */
  hurry(): void {
    if (this.#began === undefined) return this.#controller.abort(this.#superseded());
    const left = this.#patience - (performance.now() - this.#began);
    this.#timer ??= setTimeout(() => this.#controller.abort(this.#reason()), Math.max(0, left));
  }

  /** Ends it: it is done, well or not. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #superseded(): HotplugError {
    const file = basename(this.#path);
    return new HotplugError("outdated", `Not opened "${file}": a newer one came before its turn`);
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
