import { HotplugError } from "../artifact/mod.ts";
import { PluginDaemon } from "../daemon/mod.ts";
import { guardToTheEnd } from "../manager/guards/guards.ts";
import { startControl } from "./daemon_control.ts";
import { startGateway } from "./daemon_gateway.ts";
import { startLog } from "./daemon_log.ts";
import type { DaemonFlags, DaemonSettings } from "./daemon_settings.ts";
import type { Io } from "./io.ts";
import { LineQueue } from "./line_queue.ts";
import { printable } from "./printable.ts";
import { findServiceManager, type ServiceManager } from "./service_manager.ts";
import { stdoutToStderr } from "./stdout_to_stderr.ts";
import { untilAborted } from "./until_aborted.ts";

/** Runs a daemon until it is told to end, or its memory is used up. */
export async function runDaemon(
  settings: DaemonSettings,
  flags: Pick<DaemonFlags, "json">,
  io: Io,
): Promise<void> {
  // Taken first: a plugin may print as soon as it is loaded.
  using _redirected = stdoutToStderr();
  await using errors = new LineQueue(io, "stderr");
  await using output = new LineQueue(io, "stdout", errors);
  const log = flags.json ? errors : output;
  await using daemon = new PluginDaemon(settings.options);
  const warn = (text: string): void => errors.write(`warning: ${printable(text)}\n`);
  await using manager = findServiceManager(warn);
  await using _log = await startLog({
    format: settings.log,
    colour: io.isTerminal,
    withoutEvents: flags.json === true,
    level: () => daemon.logLevel,
    write: (line) => log.write(line),
  });
  if (flags.json) {
    daemon.subscribe((event) => output.write(`${JSON.stringify(event)}\n`));
  }
  using _hangup = io.onHangup?.(() => void reload(daemon, manager));
  // Before anybody is told where it serves: another daemon may have its state.
  await daemon.open();
  // Last to go, so that it can be seen how the daemon ends.
  await using gateway = await startGateway(daemon, settings);
  await using _control = await startControl(daemon, settings, gateway);
  const end = await untilEnd(daemon, manager, settings, io)
    .finally(() => io.endsProcess && guardToTheEnd());
  manager.notify("STOPPING=1");
  const drain = settings.stopDeadline;
  await Promise.all([gateway?.close({ drain }), daemon.close({ drain })]);
  if (end === "memory") throw outOfMemory();
}

type End = "asked" | "memory";

/** As much as systemd waits for a start by itself, in microseconds. */
const MORE_TIME = 90_000_000;
/** No more often than that it is asked for more, in milliseconds. */
const PAUSE = 1_000;

async function untilEnd(
  daemon: PluginDaemon,
  manager: ServiceManager,
  { exitOnMemory }: DaemonSettings,
  io: Io,
): Promise<End> {
  const { promise, resolve, reject } = Promise.withResolvers<End>();
  const goesOn = startProgress(manager);
  let ready = false;
  daemon.subscribe((event) => {
    if (event.type === "ready") {
      ready = true;
      manager.notify(`READY=1\nSTATUS=${statusOf(daemon)}`);
    }
    if (!ready && (event.type === "loaded" || event.type === "failed")) goesOn();
    if (ready && event.type === "loaded") manager.notify(`STATUS=${statusOf(daemon)}`);
    if (event.type === "memory" && event.level === "hard" && exitOnMemory) resolve("memory");
  });
  void untilAborted(io.signal).then(() => resolve("asked"));
  daemon.start().catch(reject);
  return await promise;
}

/**
 * A start may take longer than it is waited for: what a crash has left suspect is tried one by one. For
 * as long as it goes on it asks for more time; one that hangs does not.
 */
function startProgress(manager: ServiceManager): () => void {
  let last = -Infinity;
  return () => {
    const now = performance.now();
    if (now - last < PAUSE) return;
    last = now;
    manager.notify(`EXTEND_TIMEOUT_USEC=${MORE_TIME}`);
  };
}

/** What can't be read again is told as an event, and the last good configuration stays. */
async function reload(daemon: PluginDaemon, manager: ServiceManager): Promise<void> {
  manager.notify(`RELOADING=1${sinceBoot()}`);
  try {
    await daemon.reload();
  } catch {
    // Whatever it was: what serves goes on.
  }
  manager.notify(`READY=1\nSTATUS=${statusOf(daemon)}`);
}

/**
 * When it is, as systemd asks for: what is older than its signal it takes for an answer to another one.
 * Linux rounds up to whole seconds; `process.hrtime` begins with the process in Deno.
 */
function sinceBoot(): string {
  try {
    return `\nMONOTONIC_USEC=${Deno.osUptime() * 1e6}`;
  } catch {
    // Not without --allow-sys=osUptime; a unit of Type=notify does not need it.
    return "";
  }
}

function statusOf(daemon: PluginDaemon): string {
  const { length } = daemon.manager.names();
  return `${length === 1 ? "1 plugin" : `${length} plugins`} loaded`;
}

function outOfMemory(): HotplugError {
  return new HotplugError(
    "memory",
    "The process has more memory than its hard limit, and ends to be started again",
  );
}
