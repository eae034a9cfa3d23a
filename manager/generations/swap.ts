import { HotplugError } from "../../artifact/mod.ts";
import type { PluginContext } from "../../plugin/mod.ts";
import { stackOf } from "../describe_error.ts";
import type { GenerationLife } from "./generation_life.ts";
import type { PluginSlot } from "./plugin_slot.ts";

/** What takes the place of what, and why. */
export interface SwapRequest {
  /** The plugin. */
  readonly slot: PluginSlot;
  /** What is to become the current generation. */
  readonly next: GenerationLife;
  /** Why, as its `activate` is told. */
  readonly reason: PluginContext["reason"];
  /** Aborted when nobody waits for it any more; its reason is thrown. */
  readonly signal: AbortSignal;
  /** Whether to ask the current generation to quiesce and to hand over. */
  readonly handover: boolean;
  /** Called right before the flip; what it throws keeps it from happening. */
  readonly beforeFlip: () => void;
}

/**
 * Swaps a plugin's current generation: quiesce and handover of the old one, activate and health of
 * the new one, flip; then the old one drains by itself. Answers with the old one.
 *
 * What fails before the flip leaves the old one serving: the new one's signal is aborted, it is
 * deactivated if it had been activated, and the old one resumes if it had quiesced.
 */
export async function swap(request: SwapRequest): Promise<GenerationLife | undefined> {
  const { slot, next, reason, signal } = request;
  const old = slot.current;
  const open = old?.hooks.has("quiesce") && request.handover ? slot.pause() : undefined;
  try {
    const state = await takeOver(old, request);
    await next.hooks.activate(reason, state, signal);
    await next.hooks.checkHealth(signal);
    request.beforeFlip();
    slot.flip(next);
  } catch (error) {
    // The trace is made from the source map when it is first asked for, so before that goes.
    if (error instanceof HotplugError) stackOf(error.cause);
    await next.abandon(error);
    await old?.hooks.resume();
    throw error;
  } finally {
    open?.();
  }
  old?.supersede();
  return old;
}

/**
 * What the old generation hands over. On a rollback the old one is the one that is no good: what
 * fails there is no reason to keep it, and it is not asked for long.
 */
async function takeOver(
  old: GenerationLife | undefined,
  { handover, reason, signal }: SwapRequest,
): Promise<unknown> {
  if (!old || !handover) return undefined;
  try {
    if (old.hooks.has("quiesce")) await old.hooks.quiesce(signal);
    return old.hooks.has("handover") ? await old.hooks.handover(signal) : undefined;
  } catch (error) {
    if (reason === "load" || signal.aborted) throw error;
    return undefined;
  }
}
