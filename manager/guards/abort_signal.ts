import { type PluginScope, runInScope } from "./plugin_scope.ts";

const reasons = new WeakSet<object>();

/**
 * Aborts the signal that a plugin was given. What comes of it is the plugin's doing: where it
 * rejects with the reason, or with an error that the runtime makes of it, and nobody takes it, the
 * frames of that are the host's all the same.
 */
export function abortSignal(scope: PluginScope, signal: AbortController, reason: unknown): void {
  if (typeof reason === "object" && reason !== null) reasons.add(reason);
  // Bound: a function of ours would be the first frame of what is made meanwhile.
  runInScope(scope, signal.abort.bind(signal), reason);
}

/** Whether it is the reason that a plugin's signal was aborted with: its frames tell nothing. */
export function isAbortReason(thrown: unknown): boolean {
  return typeof thrown === "object" && thrown !== null && reasons.has(thrown);
}
