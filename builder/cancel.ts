import { HotplugError } from "../artifact/mod.ts";

/** Throws an error of code `cancelled` once the signal is aborted. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new HotplugError("cancelled", "The build was cancelled: its signal was aborted", {
    cause: signal.reason,
  });
}
