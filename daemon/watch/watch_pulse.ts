/** So many turns of so many milliseconds nothing at all is told, where Deno waits for something. */
const [TURNS, TURN] = [30, 100];

/**
 * Tells whether Deno still tells of changes: it changes the time of a file of the daemon's own.
 *
 * Once Deno (2.9.5) waits at a named pipe that is gone again, nothing wakes it. To set a watch then, or to
 * take one back, holds up the whole process for good.
 */
export class WatchPulse implements Disposable {
  readonly #file: string;
  #watcher: Deno.FsWatcher | undefined;
  /** Another one means that the watched one is gone. */
  #ino: number | null = null;
  #beat: PromiseWithResolvers<boolean> | undefined;
  /** How many turns nothing was told. */
  #silent = 0;

  /** Makes one with this file, by its absolute path. */
  constructor(file: string) {
    this.#file = file;
  }

  /** Resolves to whether a change is told, soon; to true where that can't be known. */
  async beats(): Promise<boolean> {
    if (this.#beat) return await this.#beat.promise;
    const { promise, resolve } = this.#beat = Promise.withResolvers<boolean>();
    this.#silent = 0;
    let again: Promise<void> | undefined;
    // Not by the clock: a plugin may have kept the process busy all the time.
    const late = setInterval(() => {
      if (++this.#silent === TURNS) resolve(false);
      // Where much is told at a time, some of it is lost.
      again = this.#touch().catch(() => {});
    }, TURN);
    try {
      const { ino } = await Deno.stat(this.#file);
      if (!this.#watcher) [this.#watcher, this.#ino] = [this.#watch(), ino];
      if (ino !== this.#ino) return true;
      await this.#touch();
      return await promise;
    } catch {
      return true;
    } finally {
      clearInterval(late);
      await again;
      resolve(true);
      this.#beat = undefined;
    }
  }

  /** Notes that a change was told, whichever: its own may be behind ten thousand others. */
  told(): void {
    this.#silent = 0;
  }

  /** Waits no longer: what waits for an answer gets `false`. */
  giveUp(): void {
    this.#beat?.resolve(false);
  }

  /** Takes its watch back; only while it beats. */
  [Symbol.dispose](): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  async #touch(): Promise<void> {
    await Deno.utime(this.#file, new Date(), new Date());
  }

  #watch(): Deno.FsWatcher {
    const watcher = Deno.watchFs(this.#file, { recursive: false });
    void this.#listen(watcher);
    return watcher;
  }

  async #listen(watcher: Deno.FsWatcher): Promise<void> {
    for await (const { paths } of watcher) {
      // Of other folders it is told what has gone.
      if (paths.includes(this.#file)) this.#beat?.resolve(true);
    }
  }
}
