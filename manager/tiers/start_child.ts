import { type ChildCommand, ChildProcess } from "./child_process.ts";
import { limited, type Limits } from "../limited.ts";
import { toHotplugError } from "../refusal_event.ts";
import type { RunnerEvents } from "./runner.ts";

/**
 * Starts a process and greets it.
 *
 * @throws {HotplugError} `io`, `crashed`, `protocol` or `deadline`; the signal's reason.
 */
export async function startChild(
  command: ChildCommand,
  events: RunnerEvents,
  limits: Limits,
): Promise<ChildProcess> {
  const child = new ChildProcess(command, events);
  try {
    await limited(child.greet(), limits, `The start of a process for ${command.label}`);
  } catch (error) {
    child.kill(toHotplugError(error));
    await child.ended;
    throw error;
  }
  return child;
}
