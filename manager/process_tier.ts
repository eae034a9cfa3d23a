import { fromFileUrl } from "@std/path";
import { hostTarget, type HotplugError, type Permissions } from "../artifact/mod.ts";
import { ChildProcess } from "./child_process.ts";
import { childPermissions } from "./child_permissions.ts";
import { findDeno } from "./find_deno.ts";
import type { Instance, InstanceRequest } from "./instance.ts";
import { executableCommand, moduleCommand, writeHost } from "./process_command.ts";
import { describeCut, labelOf, loadError, remoteEvents } from "./remote_events.ts";
import { RemoteInstance } from "./remote_instance.ts";
import type { RunnerEvents, StartRunner } from "./runner.ts";

/** How long a ping may take after a call's deadline, in milliseconds. */
export const PING_DEADLINE = 1_000;

/** Starts a module in a process of its own, or an executable as one. */
export async function startProcess(request: InstanceRequest): Promise<Instance> {
  const { location: { parts }, artifact, placed, options, settings, signal, incident } = request;
  const executable = parts.mode === "executable";
  const command = executable ? executableCommand(fromFileUrl(placed.url), settings) : moduleCommand(
    {
      deno: findDeno(options.deno),
      directoryUrl: placed.directoryUrl,
      permissions: permissionsOf(request),
    },
    await writeHost(placed.directoryUrl),
    settings,
  );
  const label = labelOf(parts);
  const start: StartRunner = async (events: RunnerEvents) => {
    const child = new ChildProcess({ ...command, label, name: parts.name }, events);
    try {
      await child.greet();
    } catch (error) {
      child.kill(error as HotplugError);
      await child.ended;
      throw error;
    }
    return child;
  };
  try {
    return await RemoteInstance.start({
      tier: "process",
      label,
      start,
      url: executable ? undefined : placed.url,
      startDeadline: options.loadDeadline,
      activateDeadline: options.hookDeadlines.activate,
      pingDeadline: PING_DEADLINE,
      size: artifact.content.length,
      closing: signal,
      events: remoteEvents(parts, incident),
    });
  } catch (error) {
    throw loadError(error, request);
  }
}

/** What its info file asks for as far as the host allows it; what is cut away is told. */
function permissionsOf(
  { location: { parts }, artifact, settings, incident }: InstanceRequest,
): Permissions {
  const asked = artifact.info?.permissions;
  const { granted, cut } = childPermissions(asked, settings.permissions, hostTarget().os);
  if (Object.keys(cut).length > 0) {
    incident({ code: "permissions", message: describeCut(parts, cut) });
  }
  return granted;
}
