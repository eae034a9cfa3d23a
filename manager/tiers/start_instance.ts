import { type ErrorCode, HotplugError } from "../../artifact/mod.ts";
import { startInline } from "./inline_tier.ts";
import type { Instance, InstanceRequest } from "./instance.ts";
import { preflight } from "./preflight.ts";
import type { Tier } from "../settings/plugin_settings.ts";
import { startProcess } from "./process_tier.ts";
import { refuseUnstartable } from "./refuse_unstartable.ts";
import { historyOf } from "./tier_history.ts";
import { startWorker } from "./worker_tier.ts";

/** Starts a module in the tier that its settings name. */
export async function startInstance(request: InstanceRequest): Promise<Instance> {
  const { location: { parts: { name, mode } }, options, settings } = request;
  const moved = isMoved(request);
  const tier = moved || mode === "executable" ? "process" : settings.tier;
  const history = historyOf(options);
  try {
    await refuseUnstartable(tier, request);
    // A process of its own is its own preflight.
    if (tier !== "process" && (settings.preflight || history.hasCrashed(name))) {
      await preflight(request).catch((error) => {
        // Nobody asked for it: a host that can't start processes does without.
        if (settings.preflight || !UNABLE.has(error.code)) throw error;
      });
    }
    return await startIn(tier, request);
  } catch (error) {
    if (error instanceof HotplugError && CRASHES.has(error.code)) history.crash(name);
    throw moved ? tellMove(error, request) : error;
  }
}

/** What a module may have done at its start that makes it suspect. */
const CRASHES: ReadonlySet<ErrorCode> = new Set(["crashed", "protocol"]);

/** What a host fails at that can't, or must not, start a process. */
const UNABLE: ReadonlySet<ErrorCode> = new Set(["no-deno", "io"]);

async function startIn(tier: Tier, request: InstanceRequest): Promise<Instance> {
  switch (tier) {
    case "inline":
      return await startInline(request);
    case "process":
      return await startProcess(request);
    case "worker":
      return await startWorker(request);
    default:
      return tier satisfies never;
  }
}

/** Whether a module that is meant for a worker goes to a process: its plugin has lost workers. */
function isMoved({ location: { parts }, options, settings }: InstanceRequest): boolean {
  if (settings.tier !== "worker" || parts.mode === "executable") return false;
  return settings.moveLostWorkers && historyOf(options).lostWorkers(parts.name) > 0;
}

/** A process has fewer permissions than a worker: what fails in one that nobody asked for says so. */
function tellMove(error: unknown, { signal }: InstanceRequest): unknown {
  if (!(error instanceof HotplugError) || error === signal.reason) return error;
  const { code, message, cause } = error;
  return new HotplugError(
    code,
    `${message}; it was in a process, with the permissions of one, because a worker of the plugin ` +
      'was lost before (option "moveLostWorkers")',
    { cause },
  );
}
