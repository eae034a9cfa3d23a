import type { DaemonEvent } from "../events.ts";

/** An event as it is kept. */
export interface KeptEvent {
  /** Counted from 1 on. */
  readonly id: number;
  /** What kind it is of. */
  readonly type: string;
  /** The event, as JSON. */
  readonly json: string;
}

/** What there is after an event. */
export interface EventsAfter {
  /** How many there were that are kept no more. */
  readonly lost: number;
  /** The others, oldest first. */
  readonly events: readonly KeptEvent[];
}

/** How much is kept. */
export interface HistoryLimits {
  /** How many events. */
  readonly events: number;
  /** How many characters in all: messages of plugins can be long. */
  readonly characters: number;
}

const LIMITS: HistoryLimits = { events: 1_000, characters: 4_000_000 };

/**
 * The newest events of a daemon, for whoever comes late or comes back.
 *
 * Readers keep a place in it and nothing else, so that a slow one costs nothing.
 */
export class EventHistory implements Disposable {
  readonly #limits: HistoryLimits;
  readonly #subscription: Disposable;
  readonly #events: KeptEvent[] = [];
  readonly #waiting = new Set<() => void>();
  #characters = 0;
  #last = 0;
  #closed = false;

  /** Keeps the events of a source from now on. */
  constructor(
    source: { subscribe(listener: (event: DaemonEvent) => void): Disposable },
    limits: Partial<HistoryLimits> = {},
  ) {
    this.#limits = { ...LIMITS, ...limits };
    this.#subscription = source.subscribe((event) => this.#add(event));
  }

  /** The id of the newest event; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** Whether nothing more will come. */
  get closed(): boolean {
    return this.#closed;
  }

  /** What came after the event of that id. */
  after(id: number): EventsAfter {
    const oldest = this.#last - this.#events.length + 1;
    const lost = Math.max(0, oldest - 1 - id);
    return { lost, events: this.#events.slice(Math.max(0, id + 1 - oldest)) };
  }

  /**
   * Resolves once there is something after the event of that id, nothing more will come, or so many
   * milliseconds are over. A reader that waits thousands of times leaves nothing behind with its signal,
   * as each `AbortSignal.any` would.
   */
  async changed(id: number, signal: AbortSignal, milliseconds: number): Promise<void> {
    if (this.#last > id || this.#closed || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    this.#waiting.add(wake);
    signal.addEventListener("abort", wake);
    const timer = setTimeout(wake, milliseconds);
    await promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", wake);
    this.#waiting.delete(wake);
  }

  /** Takes no more events; what is kept can still be read. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#subscription[Symbol.dispose]();
    this.#wake();
  }

  #add(event: DaemonEvent): void {
    const json = JSON.stringify(event);
    this.#events.push({ id: ++this.#last, type: event.type, json });
    this.#characters += json.length;
    const { events, characters } = this.#limits;
    while (this.#events.length > events || this.#characters > characters) {
      this.#characters -= this.#events.shift()?.json.length ?? 0;
    }
    this.#wake();
  }

  #wake(): void {
    for (const resolve of [...this.#waiting]) resolve();
  }
}
