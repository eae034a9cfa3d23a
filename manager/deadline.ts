import { graceAfter } from "./deadline_clock.ts";
import { MAX_TIMER } from "./settings/range.ts";

/** When to give up waiting. */
export interface Patience {
  /** After so long, in milliseconds; `Infinity` for never. */
  readonly milliseconds: number;
  /** The error that says so. */
  readonly late: () => Error;
  /** Aborted when nobody is interested any more; its reason is thrown. */
  readonly signal: AbortSignal;
}

/**
 * Settles as the promise does, or rejects once the patience is over.
 *
 * What the promise does after that is ignored: it can't be stopped, only given up.
 */
export async function withDeadline<T>(
  promise: Promise<T>,
  { milliseconds, late, signal }: Patience,
): Promise<T> {
  const over = Promise.withResolvers<never>();
  const abort = (): void => over.reject(signal.reason);
  const due = performance.now() + milliseconds;
  const end = (): void => over.reject(late());
  // A timer that is given more fires at once.
  let timer = milliseconds > MAX_TIMER ? undefined : setTimeout(() => {
    const grace = graceAfter(due);
    if (grace > 0) timer = setTimeout(end, grace);
    else end();
  }, milliseconds);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    promise.catch(() => {});
    over.promise.catch(() => {});
  }
}

/** Resolves after the time, or rejects with the signal's reason once it is aborted. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = (): void => reject(signal.reason);
  const timer = setTimeout(resolve, milliseconds);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  });
}
