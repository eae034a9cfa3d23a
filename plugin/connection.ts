import { createBirpc } from "birpc";
import { HotplugError } from "../artifact/errors.ts";
import { copyableThrown, decode, encode, type Packet } from "./codec.ts";
import type { Outcome } from "./protocol.ts";
import { Crossings } from "./crossings.ts";

/** Sends packets to the other side; throws where one is too large. */
export type Send = (packet: Packet) => void;

/** What the other side may call, by name. */
export type Functions = ReadonlyMap<string, (...args: never[]) => unknown>;

/** The messages of birpc as far as they are looked into. */
interface Message {
  readonly t: "q" | "s";
  readonly i?: string;
}

/**
 * Calls between host and child, whatever the channel: birpc, in packets, with async iterables and
 * AbortSignals by reference.
 */
export class Connection {
  readonly #send: Send;
  readonly #crossings: Crossings;
  readonly #rpc: ReturnType<typeof createBirpc<Remote, object, false>>;
  #onMessage: (message: unknown) => void = () => {};
  #closed: (() => Error) | undefined;

  /** Makes one end; {@linkcode receive} is to be given what arrives. */
  constructor(functions: Functions, send: Send) {
    this.#send = send;
    this.#crossings = new Crossings({
      notify: (method, ...args) => this.notify(method, ...args),
      call: (method, ...args) => this.call(method, ...args),
    });
    const all = new Map<string, (...args: never[]) => unknown>([
      ...functions,
      ...this.#crossings.functions,
    ]);
    this.#rpc = createBirpc<Remote, object, false>({}, {
      proxify: false,
      timeout: -1,
      post: (message) => this.#post(message),
      on: (listener) => {
        this.#onMessage = listener;
      },
      resolver: (name) => answering(all.get(name)),
      // With a name it is an answer that can't be sent: its error is sent instead.
      onGeneralError: (_error, name) => name !== undefined,
    });
  }

  /**
   * Calls a function of the other side; rejects with what it threw.
   *
   * Signals that go along are followed for as long as the connection lasts; see
   * {@linkcode callScoped}.
   */
  async call(method: string, ...args: unknown[]): Promise<unknown> {
    if (this.#closed) throw this.#closed();
    let outcome: unknown;
    try {
      outcome = await this.#rpc.$call(method, ...args);
    } catch (error) {
      throw ownError(error);
    }
    if (!isOutcome(outcome)) throw rubbish({ text: String(outcome), buffers: [] });
    if ("thrown" in outcome) throw outcome.thrown;
    return outcome.ok;
  }

  /**
   * Calls a function of the other side and waits for no answer.
   *
   * @throws {HotplugError} `clone` or `limit` where it can't be sent.
   */
  notify(method: string, ...args: unknown[]): void {
    if (this.#closed) return;
    this.#post({ m: method, a: args, t: "q" });
  }

  /** Calls a function; the signals that go along are followed until the call has ended. */
  callScoped(method: string, ...args: unknown[]): Promise<unknown> {
    return this.#crossings.scope(() => this.call(method, ...args));
  }

  /**
   * Takes a packet from the other side.
   *
   * @throws {HotplugError} `protocol` for what is no message.
   */
  receive(packet: Packet): void {
    let message: unknown;
    try {
      message = decode(packet, this.#crossings.importer);
    } catch (error) {
      return this.#refuse(packet, error);
    }
    if (!isMessage(message)) throw rubbish(packet);
    this.#onMessage(message);
  }

  /** Ends it: calls under way are rejected, each with an error of its own; streams end with one. */
  close(reason: () => Error): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.#rpc.$rejectPendingCalls(({ reject }) => reject(reason()));
    this.#rpc.$close();
    this.#crossings.close(reason);
  }

  #post(message: unknown): void {
    const exported = this.#crossings.begin();
    try {
      this.#send(encode(message, exported.exporter));
    } catch (error) {
      exported.undo();
      throw error;
    }
  }

  /** One message that can't be read is the matter of its call only. */
  #refuse(packet: Packet, cause: unknown): void {
    const message = peek(packet);
    if (!message) throw rubbish(packet, cause);
    const error = new HotplugError(
      "clone",
      `This side can't read a value that the other one has sent: ${(cause as Error).message}`,
      { cause },
    );
    if (message.i === undefined) return;
    if (message.t === "s") this.#onMessage({ ...message, e: error });
    else this.#post({ t: "s", i: message.i, e: error });
  }
}

type Remote = Record<string, (...args: unknown[]) => unknown>;

/** Whatever is thrown is an answer: birpc takes a falsy one for success. */
function answering(
  fn: ((...args: never[]) => unknown) | undefined,
): ((...args: never[]) => Promise<Outcome>) | undefined {
  return fn && (async (...args) => {
    try {
      return { ok: await fn(...args) };
    } catch (error) {
      return { thrown: copyableThrown(error) };
    }
  });
}

function isOutcome(value: unknown): value is Outcome {
  return typeof value === "object" && value !== null && ("ok" in value || "thrown" in value);
}

/** What birpc rejects with: an error of this side, or the other side's that it can't send its answer. */
function ownError(error: unknown): HotplugError {
  if (error instanceof HotplugError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = code === "clone" || code === "limit" ? code : "protocol";
  return new HotplugError(known, String(message), { cause: error });
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== "object" || value === null) return false;
  const { t, i, m, a } = value as Record<string, unknown>;
  if (t === "q") return typeof m === "string" && Array.isArray(a);
  return t === "s" && typeof i === "string";
}

/** Reads type and number of a message whose values can't be read. */
function peek({ text }: Packet): Message | undefined {
  try {
    const flat = JSON.parse(text);
    const [root] = flat;
    const [t, i] = [flat[root.t], flat[root.i]];
    const known = (t === "q" || t === "s") && (i === undefined || typeof i === "string");
    return known ? { t, ...(i !== undefined && { i }) } : undefined;
  } catch {
    return undefined;
  }
}

function rubbish({ text }: Packet, cause?: unknown): HotplugError {
  return new HotplugError(
    "protocol",
    `The other side sent what is no message: ${JSON.stringify(text.slice(0, 80))}`,
    { cause },
  );
}
