import { fromFileUrl } from "@std/path";
import type { Permissions } from "../../artifact/mod.ts";
import { childEnv } from "./child_env.ts";
import { findDeno } from "./find_deno.ts";
import { guardFolder } from "./folder_guard.ts";
import { grantedPermissions } from "./granted_permissions.ts";
import type { Instance, InstanceRequest } from "./instance.ts";
import { executableCommand, moduleCommand, type Program, writeHost } from "./process_command.ts";
import { labelOf, loadError, remoteEvents } from "./remote_events.ts";
import { RemoteInstance } from "./remote_instance.ts";
import { startChild } from "./start_child.ts";

/** How long a ping may take after a call's deadline, in milliseconds. */
export const PING_DEADLINE = 1_000;

/** Starts a module in a process of its own, or an executable as one. */
export async function startProcess(request: InstanceRequest): Promise<Instance> {
  const { location: { parts }, artifact, placed, options, signal } = request;
  const executable = parts.mode === "executable";
  const permissions = executable ? {} : grantedPermissions(request);
  const command = await commandOf(request, permissions);
  const label = labelOf(parts);
  const deadline = options.loadDeadline;
  const checkFolder = guardFolder(placed.directoryUrl, label);
  try {
    return await RemoteInstance.start({
      tier: "process",
      label,
      start: async (events, signal) => {
        checkFolder();
        const child = { ...command, label, name: parts.name };
        return await startChild(child, events, { signal, deadline });
      },
      url: executable ? undefined : placed.url,
      startDeadline: deadline,
      activateDeadline: options.hookDeadlines.activate,
      pingDeadline: PING_DEADLINE,
      size: artifact.content.length,
      closing: signal,
      events: remoteEvents(parts, request),
    });
  } catch (error) {
    throw loadError(error, request);
  }
}

async function commandOf(request: InstanceRequest, permissions: Permissions): Promise<Program> {
  const { location: { parts }, placed: { url, directoryUrl }, options, settings } = request;
  const { heapLimit } = settings;
  if (parts.mode === "executable") return executableCommand(fromFileUrl(url), settings);
  const deno = findDeno(options.deno);
  const env = childEnv(settings.env);
  const program = { deno, directoryUrl, permissions, heapLimit, env };
  return moduleCommand(program, await writeHost(directoryUrl));
}
