import { HotplugError } from "../../artifact/mod.ts";
import { describeError } from "../describe_error.ts";
import { ping } from "./ping.ts";
import type { RemoteSpec } from "./remote_spec.ts";
import type { Runner } from "./runner.ts";

type Asked = Pick<RemoteSpec, "tier" | "label" | "pingDeadline">;

/**
 * Ends a process or worker that is of no use, or no more. A worker is asked first: one that is busy can't be
 * ended, so it counts as lost; answers with the error that tells of that.
 */
export async function giveUp(
  runner: Runner,
  error: unknown,
  spec: Asked,
): Promise<HotplugError | undefined> {
  const isAsked = spec.tier === "worker" && error instanceof HotplugError;
  const lost = isAsked ? await silenceOf(runner, spec, "and can't be ended") : undefined;
  if (lost) runner.kill(reasonOf(error), true);
  else runner.kill(reasonOf(error));
  await runner.ended;
  return lost;
}

/** Ends a process or worker that gives no sign of life after a deadline; the text says which. */
export async function endIfSilent(runner: Runner, spec: Asked, deadline: string): Promise<void> {
  const outcome = `after ${deadline} deadline, and was ended; the call may be tried again`;
  const lost = await silenceOf(runner, spec, outcome);
  if (lost) runner.kill(lost);
}

async function silenceOf(
  { connection }: Runner,
  { tier, label, pingDeadline }: Asked,
  outcome: string,
): Promise<HotplugError | undefined> {
  try {
    await ping(connection, pingDeadline);
    return undefined;
  } catch (error) {
    if (!(error instanceof HotplugError) || error.code !== "deadline") return undefined;
    const why = `The ${tier} of ${label} did not answer for ${pingDeadline} ms`;
    return new HotplugError("crashed", `${why} ${outcome}`);
  }
}

/** What a process or worker is ended with: that its module threw is no crash. */
export function reasonOf(error: unknown): HotplugError {
  if (error instanceof HotplugError) return error;
  return new HotplugError("load", describeError(error), { cause: error });
}
