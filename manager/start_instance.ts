import { startInline } from "./inline_tier.ts";
import type { Instance, InstanceRequest } from "./instance.ts";
import type { Tier } from "./plugin_settings.ts";
import { startProcess } from "./process_tier.ts";
import { historyOf } from "./tier_history.ts";
import { startWorker } from "./worker_tier.ts";

/** Starts a module in the tier that its settings name. */
export async function startInstance(request: InstanceRequest): Promise<Instance> {
  const tier = tierOf(request);
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

/** A plugin that has lost workers goes to a process, if that is allowed. */
function tierOf({ location: { parts }, options, settings }: InstanceRequest): Tier {
  if (parts.mode === "executable") return "process";
  const lost = settings.tier === "worker" && historyOf(options).lostWorkers(parts.name) > 0;
  return lost && settings.moveLostWorkers ? "process" : settings.tier;
}
