/** How many requests a gateway has answered with a status. */
export interface GatewayCount {
  /** The plugin's name; empty where none has answered. */
  readonly plugin: string;
  /** The HTTP status. */
  readonly status: number;
  /** How many. */
  readonly count: number;
}

/** A status has three digits. */
const STATUSES = 1_000;

/** How many requests a gateway has answered, by plugin and status. */
export class GatewayCounts {
  readonly #counts = new Map<string, Float64Array>();

  /** Counts an answer; the name is empty where it is no plugin's. */
  add(plugin: string, status: number): void {
    let own = this.#counts.get(plugin);
    if (!own) this.#counts.set(plugin, own = new Float64Array(STATUSES));

    own[status] = (own[status] ?? 0) + 1;
  }

  /** All so far. */
  list(): GatewayCount[] {
    return [...this.#counts].flatMap(([plugin, own]) =>
      [...own.entries()].filter(([, count]) => count > 0).map(([status, count]) => ({
        plugin,
        status,
        count,
      }))
    );
  }
}
