import { accessSync, closeSync, constants, fstatSync, openSync, statSync } from "node:fs";

/** A pipe that is kept open. */
interface Hold {
  readonly fd: number;
  /** Tells it from another one that is made in its place. */
  readonly identity: string;
}

/**
 * Keeps named pipes in watched folders open, and those that links in them lead to.
 *
 * Deno (2.9.5) opens what it tells of. At a pipe that nobody writes to it waits there, for good, and so
 * does whoever sets a watch or takes one back: the whole process. At one that is open here it does not.
 */
export class PipeHolds implements Disposable {
  #holds = new Map<string, Hold>();

  /** The paths of those that are open. */
  get paths(): string[] {
    return [...this.#holds.keys()];
  }

  /**
   * Keeps those of these that are pipes open, and no others; nothing is read from them. Where one can't
   * be, though Deno may wait at it, all stays as it was, and the answer is its path.
   */
  keep(paths: readonly string[]): string | undefined {
    const before = this.#holds;
    const kept = new Map<string, Hold>();
    const failed = paths.find((path) => {
      const hold = open(path, before.get(path));
      if (hold) kept.set(path, hold);
      return hold === undefined;
    });
    // Not before the new ones are open: that an old one is let go of is an event, too.
    const [after, gone] = failed === undefined ? [kept, before] : [before, kept];
    this.#holds = after;
    for (const [path, hold] of gone) if (after.get(path) !== hold) closeSync(hold.fd);
    return failed;
  }

  /** Lets go of all; only once nothing is watched any more. */
  [Symbol.dispose](): void {
    this.keep([]);
  }
}

/** Null for what Deno does not wait at, undefined for a pipe that can't be kept open. */
function open(path: string, before: Hold | undefined): Hold | null | undefined {
  try {
    const stats = statSync(path);
    const identity = `${stats.dev}:${stats.ino}`;
    if (before?.identity === identity) return before;
    if (!stats.isFIFO() || !isAllowed(path, constants.R_OK)) return null;
    // Without the permission a person at a terminal would be asked.
    const { state } = Deno.permissions.querySync({ name: "write", path });
    if (state !== "granted" || !isAllowed(path, constants.W_OK)) return undefined;
    // For both ways, it opens at once.
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    if (fstatSync(fd).isFIFO()) return { fd, identity };
    closeSync(fd);
    return null;
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    // Else it went meanwhile.
    return code === "EMFILE" || code === "ENFILE" ? undefined : null;
  }
}

/** Whether this process's user may. */
function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
