import {
  hostTarget,
  HotplugError,
  type Permissions,
  permissionsBeyond,
} from "../../artifact/mod.ts";
import { findDeno } from "./find_deno.ts";
import type { InstanceRequest } from "./instance.ts";
import { ownPermissions } from "./own_permissions.ts";
import { refuseUnreclaimable } from "./reclaimable_module.ts";
import type { Tier } from "../settings/plugin_settings.ts";
import { hasWorkerOptions } from "./worker_flag.ts";

/** What a module is to be started from, as far as it matters before anything is. */
export type StartDemands = Pick<InstanceRequest, "location" | "artifact" | "options" | "settings">;

/**
 * Refuses a module that this host can't start in the tier as it is set up, whatever the module does.
 * Nothing runs for that.
 *
 * @throws {HotplugError} `no-deno` where a process is needed and can't be had, `unsupported` where this
 * process can't be what the settings take it for.
 */
export async function refuseUnstartable(
  tier: Tier,
  { location: { file, parts }, artifact: { info }, options, settings }: StartDemands,
): Promise<void> {
  // It runs itself, whatever is set for modules.
  if (parts.mode === "executable") return;
  if (tier === "process" || settings.preflight) findDeno(options.deno);
  if (tier === "inline" && settings.loader === "reclaimable") refuseUnreclaimable(file);
  if (tier !== "worker") return;
  if (options.workerPermissions) refuseUnflagged(file);
  else await refuseConfined(file, info?.permissions);
}

/** To start a worker with permissions of its own would end a process that has not the flag. */
function refuseUnflagged(file: string): void {
  if (hasWorkerOptions()) return;
  throw new HotplugError(
    "unsupported",
    `Cannot open "${file}" in a worker: option "workerPermissions" states that this process runs with ` +
      "--unstable-worker-options, and it does not; add the flag",
  );
}

/**
 * Refuses to run in a plain worker what asks for fewer permissions than its host has: it would get more
 * without being told. An info file that does not speak of permissions asks for nothing in particular.
 */
async function refuseConfined(file: string, asked: Permissions | undefined): Promise<void> {
  if (asked === undefined) return;
  const beyond = permissionsBeyond((await ownPermissions()).some, asked, hostTarget().os);
  if (Object.keys(beyond).length === 0) return;
  throw new HotplugError(
    "unsupported",
    `Cannot open "${file}" in a worker: it asks for fewer permissions than this process has ` +
      `(${
        Object.keys(beyond).join(", ")
      }), and a worker has them all; run it in a process, or run this ` +
      'one with --unstable-worker-options and option "workerPermissions"',
  );
}
