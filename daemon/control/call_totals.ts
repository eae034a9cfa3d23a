import { Counter, type Registry } from "prom-client";
import type { PluginStatus } from "../../manager/mod.ts";

/** What is known of a plugin's calls so far. */
type Seen = Pick<PluginStatus, "calls" | "errors">;

/** The calls of plugins, as counters. */
export class CallTotals {
  readonly #calls: Counter;
  readonly #errors: Counter;
  readonly #seen = new Map<string, Seen>();

  /** Makes them with nothing counted. */
  constructor(registry: Registry) {
    const of = { labelNames: ["plugin"], registers: [registry] };
    this.#calls = new Counter({ name: "hotplug_calls_total", help: "Calls begun", ...of });
    this.#errors = new Counter({ name: "hotplug_call_errors_total", help: "Calls failed", ...of });
  }

  /** Adds what has come since it was last seen. */
  update({ name: plugin, calls, errors }: PluginStatus): void {
    const seen = this.#seen.get(plugin) ?? { calls: 0, errors: 0 };
    this.#calls.inc({ plugin }, calls - seen.calls);
    this.#errors.inc({ plugin }, errors - seen.errors);
    this.#seen.set(plugin, { calls, errors });
  }
}
