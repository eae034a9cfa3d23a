import { getLogger } from "@logtape/logtape";
import { describeError } from "../../manager/describe_error.ts";
import { type ControlPlace, removePlace, writePlace } from "./control_place.ts";

/** How long after a failure it is tried again, in milliseconds. */
const RETRY = 2_000;

/**
 * Keeps written in a state folder where its daemon's control listens.
 *
 * That there is no room for it is no reason not to begin: it is told, and written once there is.
 */
export class KeptPlace implements AsyncDisposable {
  readonly #state: string;
  #writing: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** Makes it for a state folder, with nothing written. */
  constructor(state: string) {
    this.#state = state;
  }

  /** Writes it; resolves after the first try. */
  async write(place: ControlPlace): Promise<void> {
    await this.#try(place, true);
  }

  /** Takes it back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#writing;
    await removePlace(this.#state);
  }

  #try(place: ControlPlace, isFirst: boolean): Promise<void> {
    return this.#writing = writePlace(this.#state, place).catch((error) => {
      if (isFirst) warn(this.#state, error);
      if (!this.#closed) this.#timer = setTimeout(() => void this.#try(place, false), RETRY);
    });
  }
}

function warn(state: string, error: unknown): void {
  getLogger(["hotplug", "control"]).warn(
    'Cannot write into "{state}" where the control listens ({why}): hotplug ctl may not find it until ' +
      "there is space, and it can be written to",
    { state, why: describeError(error) },
  );
}
