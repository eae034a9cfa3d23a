import type { ResolvedManagerOptions } from "../settings/options.ts";

/** What became of the plugins of one manager in their tiers so far. */
export class TierHistory {
  readonly #lost = new Map<string, number>();
  readonly #busy = new Map<string, number>();
  readonly #crashed = new Set<string>();

  /** Counts a worker that was lost; a busy one goes on taking a processor. */
  loseWorker(name: string, isBusy: boolean): void {
    this.#lost.set(name, this.lostWorkers(name) + 1);
    if (isBusy) this.#busy.set(name, this.busyWorkers(name) + 1);
    this.#crashed.add(name);
  }

  /** How many of them were busy. */
  busyWorkers(name: string): number {
    return this.#busy.get(name) ?? 0;
  }

  /** How many workers of the plugin were lost. */
  lostWorkers(name: string): number {
    return this.#lost.get(name) ?? 0;
  }

  /** Remembers that a process of the plugin crashed. */
  crash(name: string): void {
    this.#crashed.add(name);
  }

  /** Whether the plugin has crashed, in whichever tier. */
  hasCrashed(name: string): boolean {
    return this.#crashed.has(name);
  }
}

const histories = new WeakMap<ResolvedManagerOptions, TierHistory>();

/** The history of the manager whose options these are. */
export function historyOf(options: ResolvedManagerOptions): TierHistory {
  let history = histories.get(options);
  if (!history) histories.set(options, history = new TierHistory());
  return history;
}
