/** The body of a request, and how much longer its answer may take because of that. */
export interface FollowedUpload<T> {
  /** The body. */
  readonly body: T;
  /** How much longer, in milliseconds, the answer may take whose time is over. */
  extra(): number;
}

type Body = AsyncIterable<Uint8Array<ArrayBuffer>> | null;

/**
 * Follows a body as it is read: the time in which a client sends it is not the plugin's. What a plugin has
 * for its answer counts from when it last got something, and not while it waits for more.
 */
export function followUpload(body: Body, deadline: number): FollowedUpload<Body> {
  if (!body || deadline === Infinity) return { body, extra: () => 0 };
  let waiting = 0;
  let got = -Infinity;
  const read = async (
    source: AsyncIterator<Uint8Array<ArrayBuffer>>,
  ): Promise<IteratorResult<Uint8Array<ArrayBuffer>>> => {
    waiting++;
    try {
      return await source.next();
    } finally {
      waiting--;
      got = performance.now();
    }
  };
  return {
    body: {
      [Symbol.asyncIterator]: () => {
        const source = body[Symbol.asyncIterator]();
        return {
          next: () => read(source),
          return: async (value) => await source.return?.(value) ?? { done: true, value },
        };
      },
    },
    extra: () => waiting > 0 ? deadline : Math.max(0, got + deadline - performance.now()),
  };
}
