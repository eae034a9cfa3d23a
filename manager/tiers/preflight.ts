import { HotplugError } from "../../artifact/mod.ts";
import { wholeEnv } from "./child_env.ts";
import { findDeno } from "./find_deno.ts";
import type { InstanceRequest } from "./instance.ts";
import { limited } from "../limited.ts";
import { ownPermissions } from "./own_permissions.ts";
import { moduleCommand, writeHost } from "./process_command.ts";
import { startChild } from "./start_child.ts";
import { labelOf, loadError } from "./remote_events.ts";
import type { RunnerEvents } from "./runner.ts";

/** What it prints and what it fails at late is told when it runs for good. */
const DEAF: RunnerEvents = { log: () => {}, flooded: () => {}, late: () => {} };

/**
 * Imports the module in a process that is thrown away: one whose top level never ends, ends its process
 * or takes all memory gets no further.
 *
 * The process may do what this one may, whole kinds of permission that is, and has its environment,
 * since the module will have both here.
 *
 * @throws {HotplugError} As the start in a process of its own does.
 */
export async function preflight(request: InstanceRequest): Promise<void> {
  const { location: { parts }, placed, options, settings, signal } = request;
  const label = `the preflight of ${labelOf(parts)}`;
  const command = moduleCommand({
    deno: findDeno(options.deno),
    directoryUrl: placed.directoryUrl,
    permissions: (await ownPermissions()).whole,
    heapLimit: settings.heapLimit,
    env: wholeEnv(),
  }, await writeHost(placed.directoryUrl));
  const limits = { signal, deadline: options.loadDeadline };
  try {
    const child = await startChild({ ...command, label, name: parts.name }, DEAF, limits);
    try {
      const loading = child.connection.call("load", { url: placed.url });
      await limited(loading, limits, "The top level of its module");
    } finally {
      child.kill(new HotplugError("closed", `Over: ${label}`));
      await child.ended;
    }
  } catch (error) {
    throw loadError(error, request);
  }
}
