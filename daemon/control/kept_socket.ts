import { lstat } from "node:fs/promises";

/** Time between two looks, in milliseconds. */
const PAUSE = 2_000;

/** What is kept where it was put. */
export interface SocketWorld {
  /** The path of the socket. */
  readonly path: string;
  /** The state folder that it is of. */
  readonly state: string;
  /** Puts it there anew. May throw, and is asked again then. */
  again(): Promise<void>;
}

/**
 * Sees to it that a socket is where it was put: whoever cleans a folder up, as a login's runtime folder is
 * at its end, would leave a daemon that nobody can drive until its restart.
 *
 * In a state folder that is another one by now it is another daemon's matter.
 */
export class KeptSocket implements AsyncDisposable {
  readonly #world: SocketWorld;
  readonly #folder: Promise<string | undefined>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;

  /** Looks after it from now on. */
  constructor(world: SocketWorld) {
    this.#world = world;
    this.#folder = identityOf(world.state);
    this.#wait();
  }

  /** Ends that. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  #wait(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().catch(() => {}).finally(() => this.#wait());
    }, PAUSE);
    Deno.unrefTimer(this.#timer);
  }

  async #look(): Promise<void> {
    const { path, state, again } = this.#world;
    if (await identityOf(path) !== undefined) return;
    const folder = await this.#folder;
    if (folder !== undefined && await identityOf(state) === folder) await again();
  }
}

/** What tells it from another one of its name; undefined where it is not there. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await lstat(path);
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}
