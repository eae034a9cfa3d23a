/** What sends events, as managers and daemons do. */
export interface EventSource<E> {
  /** Calls the listener for each event. */
  subscribe(listener: (event: E) => void): Disposable;
}

/** The events of a source, kept from the first on. */
export interface EventCollector<E extends { readonly type: string }> extends Disposable {
  /** All so far. */
  readonly all: readonly E[];
  /** Those of one type so far. */
  of<T extends E["type"]>(type: T): Extract<E, { readonly type: T }>[];
  /** The first that matches, be it there already or yet to come; fails past the limit. */
  next(matches: (event: E) => boolean, limitMs?: number): Promise<E>;
}

/** Collects events: `using events = collectEvents(manager)`. */
export function collectEvents<E extends { readonly type: string }>(
  source: EventSource<E>,
): EventCollector<E> {
  const all: E[] = [];
  const waiting = new Set<(event: E) => void>();
  const subscription = source.subscribe((event) => {
    all.push(event);
    for (const each of [...waiting]) each(event);
  });
  return {
    all,
    of: <T extends E["type"]>(type: T) =>
      all.filter((event): event is Extract<E, { readonly type: T }> => event.type === type),
    async next(matches, limitMs = 10_000) {
      const found = all.find(matches);
      if (found) return found;
      const { promise, resolve, reject } = Promise.withResolvers<E>();
      const look = (event: E): void => void (matches(event) && resolve(event));
      const timer = setTimeout(
        () => reject(new Error(`no such event in ${limitMs} ms; there were ${Deno.inspect(all)}`)),
        limitMs,
      );
      waiting.add(look);
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(look);
      }
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}
