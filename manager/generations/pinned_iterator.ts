/** Whether it is an async iterator that can be iterated: what an async generator gives. */
export function isAsyncIterator(
  value: unknown,
): value is AsyncIterator<unknown> & AsyncIterable<unknown> {
  if (typeof value !== "object" || value === null) return false;
  try {
    const { next } = value as { next?: unknown };
    return typeof next === "function" &&
      typeof (value as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] === "function";
  } catch {
    return false;
  }
}

/** An async iterator that tells of its end. */
export interface PinnedIterator {
  /** What the caller gets in the place of the plugin's own. */
  readonly iterator: AsyncIterableIterator<unknown>;
  /** Ends it from outside: what waits for its next value, and what asks later, gets the error. */
  cut(error: Error): void;
}

/**
 * Passes an async iterator on, and calls `ended` once: when it is done, returned, has thrown or was
 * cut.
 */
export function pinIterator(
  source: AsyncIterator<unknown>,
  ended: (error?: unknown) => void,
): PinnedIterator {
  let over = false;
  let leaving = false;
  let cutBy: Error | undefined;
  const waiting = new Set<(error: Error) => void>();
  const end = (error?: unknown): void => {
    if (over) return;
    over = true;
    ended(error);
  };
  // Not by Promise.race with one promise of the cut: each race would stay in its memory.
  const step = (move: () => Promise<IteratorResult<unknown>>): Promise<IteratorResult<unknown>> => {
    if (cutBy) return Promise.reject(cutBy);
    return new Promise((resolve, reject) => {
      waiting.add(reject);
      move().then(
        (result) => {
          if (result.done) end();
          resolve(result);
        },
        (error) => {
          end(error);
          reject(error);
        },
      ).finally(() => waiting.delete(reject));
    });
  };
  return {
    iterator: {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: (...args) => step(async () => await source.next(...args as [unknown])),
      async return(value) {
        leaving = true;
        try {
          const gone = cutBy !== undefined || source.return === undefined;
          return gone ? { done: true, value } : await step(async () => await source.return!(value));
        } finally {
          end();
        }
      },
      throw: (error) =>
        step(async () => {
          if (source.throw) return await source.throw(error);
          await source.return?.();
          throw error;
        }),
    },
    cut(error) {
      if (over) return;
      cutBy = error;
      // Whoever had enough of it misses nothing.
      end(leaving ? undefined : error);
      for (const reject of waiting) reject(error);
      waiting.clear();
      // It may be in the middle of a step that never ends; so nobody waits for this.
      Promise.resolve().then(() => source.return?.()).catch(() => {});
    },
  };
}
