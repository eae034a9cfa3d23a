/**
 * Settles as the promise does, or rejects with what `late` makes once the time is over.
 *
 * What the promise does after that is ignored: it can't be stopped, only given up.
 */
export async function withDeadline<T>(
  promise: Promise<T>,
  milliseconds: number,
  late: () => Error,
): Promise<T> {
  const over = Promise.withResolvers<never>();
  const timer = setTimeout(() => over.reject(late()), milliseconds);
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => {});
  }
}
