import { fromFileUrl } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { guardFolder } from "./folder_guard.ts";
import { grantedPermissions } from "./granted_permissions.ts";
import type { Instance, InstanceRequest } from "./instance.ts";
import { writeHost } from "./process_command.ts";
import { PING_DEADLINE } from "./process_tier.ts";
import { labelOf, loadError, remoteEvents } from "./remote_events.ts";
import { RemoteInstance } from "./remote_instance.ts";
import { requireSpareFiles } from "./spare_files.ts";
import { historyOf } from "./tier_history.ts";
import { type Heartbeat, WorkerRunner } from "./worker_runner.ts";
import {
  type OnThreadEnd,
  startConfined,
  startThread,
  type WorkerThread,
} from "./worker_thread.ts";

/** A lost worker may be busy for good: of one plugin there are at most so many. */
const MOST_LOST = 3;

const HEARTBEAT: Heartbeat = { interval: 2_000, lostAfter: 10_000 };

/**
 * Starts a module in a worker: an isolate of its own, in this process, which {@linkcode refuseUnstartable}
 * has found fit for that.
 */
export async function startWorker(request: InstanceRequest): Promise<Instance> {
  const { location: { parts }, artifact, placed, options, signal } = request;
  const startThreadAt = threadStarter(request);
  const label = labelOf(parts);
  const hostUrl = await writeHost(placed.directoryUrl);
  const history = historyOf(options);
  if (history.busyWorkers(parts.name) >= MOST_LOST) throw tooManyBusy(label);
  const checkFolder = guardFolder(placed.directoryUrl, label);
  try {
    return await RemoteInstance.start({
      tier: "worker",
      label,
      // deno-lint-ignore require-await -- what it throws at once is a rejection, too
      start: async (events) => {
        checkFolder();
        requireSpareFiles(fromFileUrl(hostUrl), label);
        return new WorkerRunner({
          label,
          start: (onEnd) => startThreadAt(hostUrl, onEnd),
          heartbeat: HEARTBEAT,
          lost: (isBusy) => history.loseWorker(parts.name, isBusy),
        }, events);
      },
      url: placed.url,
      mayRestart: () => history.lostWorkers(parts.name) < MOST_LOST,
      startDeadline: options.loadDeadline,
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

function tooManyBusy(label: string): HotplugError {
  return new HotplugError(
    "unsupported",
    `Cannot start ${label} in a worker: ${MOST_LOST} of them were busy and could not be ended; let it ` +
      'run in a process (option "tier" or "moveLostWorkers"), or restart this one',
  );
}

type StartAt = (hostUrl: string, onEnd: OnThreadEnd) => WorkerThread;

function threadStarter(request: InstanceRequest): StartAt {
  const { options, settings, placed } = request;
  if (!options.workerPermissions) {
    return (url, onEnd) => startThread(url, settings.heapLimit, onEnd);
  }
  const permissions = grantedPermissions(request);
  // To be imported, the module itself must be readable.
  const read = permissions.read === true
    ? true as const
    : [fromFileUrl(placed.directoryUrl), ...permissions.read ?? []];
  return (url, onEnd) => startConfined(url, { ...permissions, read }, onEnd);
}
