import { type ErrorCode, type Hook, HotplugError } from "../../artifact/mod.ts";
import type { PluginContext } from "../../plugin/mod.ts";
import { withDeadline } from "../deadline.ts";
import { describeError } from "../describe_error.ts";
import type { Instance } from "../tiers/instance.ts";

const CODES = {
  activate: "activation",
  handover: "handover",
  health: "health",
  quiesce: "quiesce",
  resume: "resume",
  deactivate: "deactivation",
} as const satisfies Record<Hook, ErrorCode>;

/** How a hook is called. */
export interface HookCall {
  /** How messages name the generation. */
  readonly label: string;
  /** How long it may take, in milliseconds. */
  readonly deadline: number;
  /** Aborted when nobody waits for it any more; its reason is thrown. */
  readonly signal: AbortSignal;
  /** What `activate` is given. */
  readonly context?: PluginContext;
}

/**
 * Calls a hook, if the module exports it, and resolves to what it answers.
 *
 * @throws {HotplugError} With the hook's own code where it throws, is no function or does not end in
 * time; the signal's reason.
 */
export async function runHook(
  instance: Instance,
  hook: Hook,
  { label, deadline, signal, context }: HookCall,
): Promise<unknown> {
  // One that has ended is started for its activation, with a hook or without.
  if (!instance.hooks.has(hook) && hook !== "activate") return undefined;
  const code = CODES[hook];
  const fault = (why: string, options?: ErrorOptions) =>
    new HotplugError(code, `Cannot ${hook} ${label}: ${why}`, options);
  if (signal.aborted) throw signal.reason;
  const late = fault(`its ${hook} did not end within ${deadline} ms`);
  // In an async function: what it throws at once is no different from what it rejects with.
  const call = async (): Promise<unknown> => await instance.hook(hook, context);
  try {
    return await withDeadline(call(), { milliseconds: deadline, signal, late: () => late });
  } catch (error) {
    if (error === late) instance.hookLate();
    if (error === late || (signal.aborted && error === signal.reason)) throw error;
    throw fault(`it threw ${describeError(error)}`, { cause: error });
  }
}
