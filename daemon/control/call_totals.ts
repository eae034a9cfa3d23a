import { Counter, type Registry } from "prom-client";
import type { GenerationStatus, PluginStatus } from "../../manager/mod.ts";

/** What is known of a generation's calls so far. */
type Seen = Pick<GenerationStatus, "calls" | "errors">;

/**
 * The calls of plugins in all, though their generations come and go, and what each has counted goes
 * with it.
 */
export class CallTotals {
  readonly #calls: Counter;
  readonly #errors: Counter;
  readonly #seen = new Map<string, ReadonlyMap<string, Seen>>();

  /** Makes them with nothing counted. */
  constructor(registry: Registry) {
    const of = { labelNames: ["plugin"], registers: [registry] };
    this.#calls = new Counter({ name: "hotplug_calls_total", help: "Calls begun", ...of });
    this.#errors = new Counter({ name: "hotplug_call_errors_total", help: "Calls failed", ...of });
  }

  /** Adds what has come since it was last seen. */
  update({ name: plugin, generations }: PluginStatus): void {
    const before = this.#seen.get(plugin);
    const now = new Map<string, Seen>();
    for (const { scn, loadedAt, calls, errors } of generations) {
      const key = `${scn} ${loadedAt}`;
      const seen = before?.get(key) ?? { calls: 0, errors: 0 };
      this.#calls.inc({ plugin }, Math.max(0, calls - seen.calls));
      this.#errors.inc({ plugin }, Math.max(0, errors - seen.errors));
      now.set(key, { calls, errors });
    }
    this.#seen.set(plugin, now);
  }
}
