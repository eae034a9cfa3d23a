import type { PluginStatus } from "../manager/mod.ts";
import type { PluginAnswer } from "../daemon/control/control_schemas.ts";
import type { DaemonStatus, QuarantinedVersion } from "../daemon/mod.ts";
import { table } from "./table.ts";

/** How a daemon stands, for people. */
export function formatStatus(status: DaemonStatus): string {
  const { ready, closed, uptimeMs, memory, scans, logLevel, state, watch } = status;
  const what = closed ? "closing" : ready ? "ready" : "starting";
  const last = scans.lastDurationMs === undefined ? "" : `, the last in ${scans.lastDurationMs} ms`;
  const files = scans.files === 1 ? "1 file" : `${scans.files} files`;
  const facts = table([
    ["daemon", `${what}, for ${formatDuration(uptimeMs)}`],
    ["memory", formatMemory(memory)],
    ["scans", `${scans.count}${last}: ${files}`],
    ["log level", logLevel],
    ["state", state ?? "none"],
  ]);
  const folders = watch.map((
    { directory, mode, state, message = "" },
  ) => [directory, mode, state, message]);
  return [
    facts,
    table([["FOLDER", "MODE", "STATE", ""], ...folders]),
    formatPlugins(status.plugins),
    ...status.pending.length > 0 ? [formatPending(status)] : [],
    ...status.failing.length > 0 ? [formatFailing(status)] : [],
    ...status.skipped.length > 0 ? [formatSkipped(status)] : [],
    ...status.misnamed.length > 0 ? [formatMisnamed(status)] : [],
    ...status.quarantine.length > 0 ? [formatQuarantine(status.quarantine)] : [],
  ].join("\n");
}

/** The plugins, one a line. */
export function formatPlugins(plugins: readonly PluginStatus[]): string {
  if (plugins.length === 0) return "no plugins\n";
  const rows = plugins.map((plugin) => {
    const { name, current, generations, calls, errors } = plugin;
    const leases = generations.reduce((sum, each) => sum + each.leases, 0);
    const tier = generations.find(({ state }) => state === "current")?.tier ?? "-";
    const counts = [generations.length, leases, calls, errors].map(String);
    return [name, String(current ?? "-"), tier, ...counts, holdOf(plugin)];
  });
  const names = ["PLUGIN", "CURRENT", "TIER", "GENERATIONS", "LEASES", "CALLS", "ERRORS", "HOLD"];
  return table([names, ...rows]);
}

/** A plugin's generations, one a line. */
export function formatPlugin(plugin: PluginStatus): string {
  const hold = holdOf(plugin);
  const rows = plugin.generations.map((each) => [
    String(each.scn),
    each.state,
    each.tier,
    each.since,
    ...[each.leases, each.calls, each.errors, each.crashes].map(String),
    each.path,
  ]);
  const names = ["SCN", "STATE", "TIER", "SINCE", "LEASES", "CALLS", "ERRORS", "CRASHES", "FILE"];
  const title = hold === "" ? plugin.name : `${plugin.name}: ${hold}`;
  return `${table([[title]])}${rows.length === 0 ? "nothing loaded\n" : table([names, ...rows])}`;
}

/** What came of something that was asked for of a plugin. */
export function formatAnswer({ changed, known, plugin }: PluginAnswer, what: string): string {
  const yet = what === "freeze" ? " yet, and what comes is kept out" : "";
  const unknown =
    `nothing of plugin "${plugin.name}" is known${yet}; hotplug ctl plugins names all\n`;
  return `${changed ? "" : "nothing to do\n"}${known ? "" : unknown}${formatPlugin(plugin)}`;
}

/** The versions in quarantine, one a line. */
export function formatQuarantine(versions: readonly QuarantinedVersion[]): string {
  if (versions.length === 0) return "nothing in quarantine\n";
  const rows = versions.map(({ name, scn, since, reason }) => [name, String(scn), since, reason]);
  return table([["QUARANTINED", "SCN", "SINCE", "WHY"], ...rows]);
}

/** With what a limit that is passed keeps out, so that nobody looks for that in the folders. */
function formatMemory({ rss, heapUsed, softLimit, hardLimit }: DaemonStatus["memory"]): string {
  const limits = [softLimit, hardLimit].filter((limit) => limit !== undefined);
  const limit = Math.min(...limits);
  const over = rss > limit ? `; more than ${mebi(limit)} MiB: nothing more is loaded` : "";
  return `${mebi(rss)} MiB, heap ${mebi(heapUsed)} MiB${over}`;
}

function formatPending({ pending }: DaemonStatus): string {
  const rows = pending.map((
    { name, scn, since, more },
  ) => [name, String(scn), since, JSON.stringify(more)]);
  return table([["WAITS FOR APPROVAL", "SCN", "SINCE", "ASKS FOR MORE"], ...rows]);
}

function formatFailing({ failing }: DaemonStatus): string {
  const rows = failing.map((
    { name, scn, code, attempts, retryAt = "with another file", path },
  ) => [name, String(scn), code, String(attempts), retryAt, path]);
  return table([["DOES NOT LOAD", "SCN", "WHY", "TRIES", "NEXT TRY", "FILE"], ...rows]);
}

function formatSkipped({ skipped }: DaemonStatus): string {
  const rows = skipped.map(({ name, scn, code, message }) => [name, String(scn), code, message]);
  return table([["IS NOT OPENED", "SCN", "WHY", ""], ...rows]);
}

function formatMisnamed({ misnamed }: DaemonStatus): string {
  return table([
    ["IS NO ARTIFACT", "WHY"],
    ...misnamed.map(({ path, message }) => [path, message]),
  ]);
}

function holdOf({ frozen, held = 0, current = 0 }: PluginStatus): string {
  const holds = [
    ...frozen ? ["frozen"] : [],
    // Where something newer serves, it keeps nothing out any more.
    ...held > current ? [`held up to ${held}`] : [],
  ];
  return holds.join(", ");
}

function formatDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  const parts = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ];
  const named = parts.map((part, index) => `${part} ${["d", "h", "min", "s"][index]}`);
  const first = parts.findIndex((part) => part > 0);
  return named.slice(first === -1 ? 3 : first).slice(0, 2).join(" ");
}

function mebi(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
