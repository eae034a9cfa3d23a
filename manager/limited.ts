import { HotplugError } from "../artifact/mod.ts";
import { MAX_TIMER } from "./range.ts";

/** How long something may take. */
export interface Limits {
  /** Gives it up when aborted. */
  readonly signal?: AbortSignal;
  /** In milliseconds; Infinity for none. */
  readonly deadline: number;
}

/**
 * Settles as the promise does, unless a limit is reached before: what it does then is ignored.
 *
 * @param late Called when the deadline is over.
 * @throws {HotplugError} `deadline`; the signal's reason.
 */
export async function limited<T>(
  promise: Promise<T>,
  { signal, deadline }: Limits,
  what: string,
  late?: () => void,
): Promise<T> {
  if (!signal && deadline > MAX_TIMER) return await promise;
  const over = Promise.withResolvers<never>();
  const abort = (): void => over.reject(signal?.reason);
  const timer = deadline <= MAX_TIMER
    ? setTimeout(() => {
      over.reject(new HotplugError("deadline", `${what} did not end within ${deadline} ms`));
      late?.();
    }, deadline)
    : undefined;
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    promise.catch(() => {});
    over.promise.catch(() => {});
  }
}
