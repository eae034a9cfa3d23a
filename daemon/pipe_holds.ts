import { closeSync, constants, lstatSync, openSync } from "node:fs";

/** A pipe that is kept open. */
interface Hold {
  readonly fd: number;
  /** Tells it from another one that is made in its place. */
  readonly ino: number;
}

/**
 * Keeps the named pipes in watched folders open.
 *
 * Deno (2.9.5) opens what it tells of. At a pipe that nobody writes to it waits there, for good, and so
 * does whoever sets a watch or takes one back: the whole process. At one that is open here it does not.
 */
export class PipeHolds implements Disposable {
  readonly #holds = new Map<string, Hold>();

  /** How many are open. */
  get size(): number {
    return this.#holds.size;
  }

  /** Keeps those of these that are pipes open, and no others; nothing is read from them. */
  keep(paths: readonly string[]): void {
    // First the new ones: that an old one is let go of is an event, too.
    for (const path of paths) this.#open(path);
    const kept = new Set(paths);
    for (const [path, { fd }] of this.#holds) {
      if (kept.has(path)) continue;
      this.#holds.delete(path);
      closeSync(fd);
    }
  }

  /** Lets go of all; only once nothing is watched any more. */
  [Symbol.dispose](): void {
    this.keep([]);
  }

  #open(path: string): void {
    try {
      const stats = lstatSync(path);
      const { ino } = stats;
      const before = this.#holds.get(path);
      if (!stats.isFIFO() || before?.ino === ino || !mayWrite(path)) return;
      // For both ways, it opens at once.
      const { O_RDWR, O_NONBLOCK, O_NOFOLLOW } = constants;
      this.#holds.set(path, { fd: openSync(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW), ino });
      if (before) closeSync(before.fd);
    } catch {
      // It went meanwhile, or is not for this user: Deno can't open it either.
    }
  }
}

/** Without the permission a person at a terminal would be asked. */
function mayWrite(path: string): boolean {
  return Deno.permissions.querySync({ name: "write", path }).state === "granted";
}
