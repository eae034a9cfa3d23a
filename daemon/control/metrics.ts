import { getLogger } from "@logtape/logtape";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import project from "../../deno.json" with { type: "json" };
import { CallTotals } from "./call_totals.ts";
import type { ControlTarget } from "./control_target.ts";
import type { DaemonEvent } from "../events.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { DaemonStatus } from "../status.ts";

/** The bounds of the histogram of swaps, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const GENERATION_STATES = ["starting", "current", "superseded", "drained", "parked"] as const;

/** What of a daemon is metered. */
export type MeteredDaemon = Pick<ControlTarget, "status" | "subscribe">;

/** What of a gateway is metered. */
export type MeteredGateway = Pick<Gateway, "counts" | "streams">;

/** What a daemon has done and how it stands, in Prometheus' text format. */
export class Metrics implements Disposable {
  readonly #daemon: MeteredDaemon;
  readonly #registry = new Registry();
  readonly #subscription: Disposable;
  readonly #calls: CallTotals;
  readonly #scans: Counter;
  readonly #set: (status: DaemonStatus) => void;
  readonly #setGateway: (() => void) | undefined;
  #scanned = 0;

  /** Counts from now on. */
  constructor(daemon: MeteredDaemon, gateway?: MeteredGateway) {
    this.#daemon = daemon;
    this.#setGateway = gateway && gatewayMetrics(this.#registry, gateway);
    this.#calls = new CallTotals(this.#registry);
    this.#scans = counter(this.#registry, "scans", "Full scans of the folders");
    this.#set = gauges(this.#registry);
    const count = eventCounters(this.#registry);
    this.#subscription = daemon.subscribe((event) => {
      try {
        count(event);
      } catch (error) {
        // Where a plugin inline has changed what all objects have, the library counts no more: that is
        // no reason for the daemon to end, as it would of a listener that throws.
        logUncounted(error);
      }
    });
  }

  /** The media type of {@linkcode text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All of them, as they are now. */
  async text(): Promise<string> {
    const status = this.#daemon.status();
    for (const plugin of status.plugins) this.#calls.update(plugin);
    this.#scans.inc(Math.max(0, status.scans.count - this.#scanned));
    this.#scanned = status.scans.count;
    this.#set(status);
    this.#setGateway?.();
    return await this.#registry.metrics();
  }

  /** Counts no more. */
  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
    this.#registry.clear();
  }
}

function logUncounted(error: unknown): void {
  const text = "An event is missing in the metrics: {error}";
  getLogger(["hotplug", "control"]).error(text, { error });
}

function eventCounters(registry: Registry): (event: DaemonEvent) => void {
  const loads = counter(registry, "loads", "Generations that became current", ["plugin"]);
  const failures = counter(registry, "failures", "Failures, by code", ["code"]);
  const skips = counter(registry, "skips", "Artifacts left out, by code", ["code"]);
  const conflicts = counter(registry, "conflicts", "Artifacts of one SCN and other content");
  const restarts = counter(registry, "restarts", "Plugins started again after a crash", ["plugin"]);
  const rollbacks = counter(registry, "rollbacks", "Rollbacks", ["plugin", "automatic"]);
  const swaps = new Histogram({
    name: "hotplug_swap_seconds",
    help: "From the begin of opening a version to its first call",
    buckets: BUCKETS,
    registers: [registry],
  });
  return (event) => {
    switch (event.type) {
      case "loaded":
        loads.inc({ plugin: event.name });
        swaps.observe(event.durationMs / 1_000);
        break;
      case "failed":
        failures.inc({ code: event.code });
        break;
      case "skipped":
        skips.inc({ code: event.code });
        break;
      case "conflict":
        conflicts.inc();
        break;
      case "restarted":
        restarts.inc({ plugin: event.name ?? "" });
        break;
      case "rolled-back":
        rollbacks.inc({ plugin: event.name, automatic: String(event.automatic) });
        break;
    }
  };
}

function gauges(registry: Registry): (status: DaemonStatus) => void {
  const { version } = project;
  gauge(registry, "hotplug_info", "What runs", ["version", "deno"])
    .set({ version, deno: Deno.version.deno }, 1);
  const ready = gauge(registry, "hotplug_ready", "Whether the first scan is done");
  const generations = gauge(registry, "hotplug_generations", "Generations in memory", [
    "plugin",
    "state",
  ]);
  const leases = gauge(registry, "hotplug_leases", "Who holds generations now", ["plugin"]);
  const watch = gauge(registry, "hotplug_watch", "How folders are watched", [
    "directory",
    "mode",
    "state",
  ]);
  const pending = gauge(registry, "hotplug_pending", "Versions that wait for an approval");
  const quarantined = gauge(registry, "hotplug_quarantined", "Versions in quarantine");
  const files = gauge(registry, "hotplug_scan_files", "Names that the last scan found");
  const scan = gauge(registry, "hotplug_scan_seconds", "How long the last scan took");
  const rss = gauge(registry, "process_resident_memory_bytes", "Memory of the process");
  const heap = gauge(registry, "hotplug_heap_used_bytes", "What V8's heap holds");
  const started = gauge(registry, "process_start_time_seconds", "When the daemon was started");
  return (status) => {
    for (const each of [generations, leases, watch]) each.reset();
    for (const plugin of status.plugins) {
      for (const state of GENERATION_STATES) {
        const of = plugin.generations.filter((each) => each.state === state);
        generations.set({ plugin: plugin.name, state }, of.length);
      }
      const held = plugin.generations.reduce((sum, each) => sum + each.leases, 0);
      leases.set({ plugin: plugin.name }, held);
    }
    for (const { directory, mode, state } of status.watch) watch.set({ directory, mode, state }, 1);
    ready.set(status.ready ? 1 : 0);
    pending.set(status.pending.length);
    quarantined.set(status.quarantine.length);
    files.set(status.scans.files);
    scan.set((status.scans.lastDurationMs ?? 0) / 1_000);
    rss.set(status.memory.rss);
    heap.set(status.memory.heapUsed);
    if (status.startedAt !== undefined) started.set(Date.parse(status.startedAt) / 1_000);
  };
}

function gatewayMetrics(registry: Registry, gateway: MeteredGateway): () => void {
  const requests = counter(registry, "gateway_requests", "Answers of the gateway, by status", [
    "plugin",
    "status",
  ]);
  const streams = gauge(
    registry,
    "hotplug_gateway_streams",
    "Event streams and WebSockets that are open",
  );
  return () => {
    requests.reset();
    for (const { plugin, status, count } of gateway.counts()) {
      requests.inc({ plugin, status: String(status) }, count);
    }
    streams.set(gateway.streams);
  };
}

function counter(
  registry: Registry,
  what: string,
  help: string,
  labelNames: readonly string[] = [],
): Counter {
  return new Counter({ name: `hotplug_${what}_total`, help, labelNames, registers: [registry] });
}

function gauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[] = [],
): Gauge {
  return new Gauge({ name, help, labelNames, registers: [registry] });
}
