import { type ArtifactName, HotplugError, type Permissions } from "../../artifact/mod.ts";
import { LogBudget } from "../../plugin/mod.ts";
import { describeError } from "../describe_error.ts";
import { importError } from "./import_module.ts";
import type { InstanceRequest } from "./instance.ts";
import { pluginLog } from "./plugin_log.ts";
import { historyOf } from "./tier_history.ts";
import type { RemoteEvents } from "./remote_spec.ts";

/** How often it is told that a plugin prints too much, in milliseconds. */
const FLOOD_PAUSE = 10_000;

/** How messages name a generation. */
export function labelOf({ name, scn }: Pick<ArtifactName, "name" | "scn">): string {
  return `plugin "${name}" (SCN ${scn})`;
}

/** Tells what happens in a process or worker as the incidents and the log of its plugin. */
export function remoteEvents(
  parts: ArtifactName,
  { incident, options }: Pick<InstanceRequest, "incident" | "options">,
): RemoteEvents {
  const label = labelOf(parts).replace("plugin", "Plugin");
  // One that fails a thousand times a second must not fill the host's log.
  const budget = new LogBudget(undefined, { perSecond: 10, burst: 100 });
  let dropped = 0;
  let floodToldAt = -Infinity;
  const log = pluginLog(parts.name, parts.scn);
  return {
    log,
    late: (what, error) => {
      if (!budget.take(1)) return;
      const untold = budget.takeDropped();
      const more = untold > 0 ? ` (${untold} more before it were not told)` : "";
      const text = `${String(what).slice(0, 200)}: ${describeError(error).slice(0, 4_000)}`;
      const message = `${label} ${text}${more}`;
      incident({ code: "uncaught", message, error });
    },
    flooded: (characters) => {
      dropped += characters;
      const now = performance.now();
      if (now - floodToldAt < FLOOD_PAUSE) return;
      floodToldAt = now;
      const message =
        `${label} printed more than is logged: ${dropped} characters were dropped so far`;
      incident({ code: "limit", message });
    },
    crashed: ({ code, message, cause }) => {
      historyOf(options).crash(parts.name);
      incident({ code, message, error: cause });
    },
    restarted: () => incident({ code: "restarted", message: `${label} runs again after a crash` }),
  };
}

/** What its host does not allow a plugin of what it asks for, in words. */
export function describeCut(parts: ArtifactName, cut: Permissions): string {
  const kinds = Object.entries(cut).map(([kind, list]) =>
    list === true ? `all of ${kind}` : `${kind} ${list.join(", ")}`
  );
  return `${
    labelOf(parts).replace("plugin", "Plugin")
  } asks for more than this host allows, and runs ` +
    `without: ${kinds.join("; ")}; allow it in option "permissions", or build it without`;
}

/** An error of the start with the artifact's name: what its module threw is the cause. */
export function loadError(
  error: unknown,
  { location: { file }, scope, signal }: Pick<InstanceRequest, "location" | "scope" | "signal">,
): unknown {
  if (signal.aborted && error === signal.reason) return error;
  if (!(error instanceof HotplugError)) return importError(error, file, scope);
  const { code, message, cause } = error;
  return new HotplugError(code, `Cannot open "${file}": ${message}`, { cause });
}
