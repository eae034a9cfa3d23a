import { HotplugError } from "../../artifact/mod.ts";
import { describeError } from "../describe_error.ts";
import { ping } from "./ping.ts";
import type { RemoteSpec } from "./remote_spec.ts";
import type { Runner } from "./runner.ts";

type Asked = Pick<RemoteSpec, "tier" | "label" | "pingDeadline">;

/**
 * Ends a process or worker that can't be used. A worker is asked first: one that is busy can't be ended, so
 * it counts as lost.
 */
export async function giveUp(runner: Runner, error: unknown, spec: Asked): Promise<void> {
  if (error instanceof HotplugError && spec.tier === "worker") {
    await endIfSilent(runner, spec, "and was given up");
  }
  runner.kill(reasonOf(error));
  await runner.ended;
}

/** Ends a process or worker that gives no sign of life; the error ends with what that comes of. */
export async function endIfSilent(
  runner: Runner,
  { tier, label, pingDeadline }: Asked,
  outcome: string,
): Promise<void> {
  try {
    await ping(runner.connection, pingDeadline);
  } catch (error) {
    if (!(error instanceof HotplugError) || error.code !== "deadline") return;
    const why = `The ${tier} of ${label} did not answer for ${pingDeadline} ms ${outcome}`;
    runner.kill(new HotplugError("crashed", why));
  }
}

/** What a process or worker is ended with: that its module threw is no crash. */
export function reasonOf(error: unknown): HotplugError {
  if (error instanceof HotplugError) return error;
  return new HotplugError("load", describeError(error), { cause: error });
}
