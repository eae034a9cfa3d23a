import { HotplugError } from "../artifact/mod.ts";
import type { MemoryEvent } from "./events.ts";

/** Past which RSS what is to be done, in bytes; `Infinity` for never. */
export interface MemoryLimits {
  /** Nothing more is loaded. */
  readonly memorySoft: number;
  /** The process is to end. */
  readonly memoryHard: number;
}

/** Watches how much of the machine's memory the process has, and tells when a limit is passed. */
export class MemoryBudget {
  readonly #limits: MemoryLimits;
  readonly #tell: (event: MemoryEvent) => void;
  readonly #rss: () => number;
  #level: MemoryEvent["level"] = "ok";
  /** The limit that was passed last. */
  #passed = Infinity;

  /** Makes a budget that has told nothing. */
  constructor(
    limits: MemoryLimits,
    tell: (event: MemoryEvent) => void,
    rss: () => number = () => Deno.memoryUsage().rss,
  ) {
    this.#limits = limits;
    this.#tell = tell;
    this.#rss = rss;
  }

  /** Looks, and tells what has changed; a reload may have brought limits where there were none. */
  check(): MemoryEvent["level"] {
    const { memorySoft, memoryHard } = this.#limits;
    if (memorySoft === Infinity && memoryHard === Infinity && this.#level === "ok") return "ok";
    const rss = this.#rss();
    const level = rss > memoryHard ? "hard" : rss > memorySoft ? "soft" : "ok";
    if (level !== this.#level) {
      this.#level = level;
      const limit = level === "hard" ? memoryHard : Math.min(memorySoft, memoryHard);
      // A reload may have taken it away.
      if (limit !== Infinity) this.#passed = limit;
      const time = new Date().toISOString();
      this.#tell({ type: "memory", time, level, rss, limit: this.#passed });
    }
    return level;
  }

  /**
   * Looks whether something more may be loaded.
   *
   * @throws {HotplugError} `memory` where it may not.
   */
  assertRoom(file: string): void {
    if (this.check() === "ok") return;
    throw new HotplugError(
      "memory",
      `Not opened "${file}": the process has more memory than its limit; it is loaded once there is ` +
        "room, or by the next process",
    );
  }
}
