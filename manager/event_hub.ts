/**
 * Hands events to those who listen: by callback, or as an async iterator.
 *
 * A listener that throws does not keep the others from hearing; its error is reported as uncaught.
 */
export class EventHub<T> {
  readonly #listeners = new Set<(event: T) => void>();
  readonly #ends = new Set<() => void>();
  #closed = false;

  /** Calls every listener, in the order in which they came. */
  emit(event: T): void {
    const errors: unknown[] = [];
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        errors.push(error);
      }
    }
    // Last, since it ends the process where nobody takes it.
    for (const error of errors) reportError(error);
  }

  /** Calls the listener for each event from now on, until disposed of. */
  subscribe(listener: (event: T) => void): Disposable {
    // A wrapper of its own, so that the same function may listen twice and leave once.
    const own = (event: T): void => listener(event);
    if (!this.#closed) this.#listeners.add(own);
    return { [Symbol.dispose]: () => void this.#listeners.delete(own) };
  }

  /** The events from now on; it buffers what its reader has not taken, and ends with the hub. */
  events(): AsyncIterableIterator<T> {
    const buffer: T[] = [];
    let wake = Promise.withResolvers<void>();
    let done = this.#closed;
    const subscription = this.subscribe((event) => {
      buffer.push(event);
      wake.resolve();
    });
    const end = (): void => {
      done = true;
      subscription[Symbol.dispose]();
      this.#ends.delete(end);
      wake.resolve();
    };
    if (!done) this.#ends.add(end);
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      async next(): Promise<IteratorResult<T>> {
        while (buffer.length === 0) {
          if (done) return { done: true, value: undefined };
          await wake.promise;
          wake = Promise.withResolvers<void>();
        }
        return { done: false, value: buffer.shift() as T };
      },
      return(): Promise<IteratorResult<T>> {
        buffer.length = 0;
        end();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  /** Lets the iterators end and forgets the listeners. */
  close(): void {
    this.#closed = true;
    for (const end of [...this.#ends]) end();
    this.#listeners.clear();
  }
}
