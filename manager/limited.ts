import { HotplugError } from "../artifact/mod.ts";
import { DeadlineClock } from "./deadline_clock.ts";

/** How long something may take. */
export interface Limits {
  /** Gives it up when aborted. */
  readonly signal?: AbortSignal;
  /** In milliseconds; Infinity for none. */
  readonly deadline: number;
  /** Asked when the time is over: how much longer it may take, in milliseconds, 0 for no longer. */
  readonly extra?: () => number;
}

/**
 * Settles as the promise does, unless a limit is reached before: what it does then is ignored.
 *
 * @param late Called when the deadline is over, though it may take longer.
 * @param shared Watches the deadlines of many; without, there is a timer for this one.
 * @throws {HotplugError} `deadline`; the signal's reason.
 */
export function limited<T>(
  promise: Promise<T>,
  { signal, deadline, extra }: Limits,
  what: string,
  late?: () => void,
  shared?: DeadlineClock,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const clock = shared ?? new DeadlineClock();
    const expire = (): void => {
      const more = extra?.() ?? 0;
      if (more > 0) forget = clock.watch(more, expire);
      else {
        leave();
        reject(new HotplugError("deadline", `${what} did not end within ${deadline} ms`));
      }
      late?.();
    };
    let forget = clock.watch(deadline, expire);
    const abort = (): void => {
      leave();
      reject(signal?.reason);
    };
    const leave = (): void => {
      forget();
      if (!shared) clock.close();
      signal?.removeEventListener("abort", abort);
    };
    promise.then((value) => {
      leave();
      resolve(value);
    }, (error) => {
      leave();
      reject(error);
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort);
  });
}
