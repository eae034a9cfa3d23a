import { createBirpc } from "birpc";
import { HotplugError } from "../artifact/errors.ts";
import { copyableThrown, decode, encode } from "./codec.ts";
import { Crossings } from "./crossings.ts";
import {
  type Envelope,
  type Message,
  readHead,
  type RpcMessage,
  rubbish,
  seal,
} from "./message.ts";
import type { Outcome } from "./protocol.ts";

/** Sends messages to the other side; throws where one is too large. */
export type Send = (message: Message) => void;

/** What the other side may call, by name. */
export type Functions = ReadonlyMap<string, (...args: never[]) => unknown>;

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
  #heard = 0;

  /** Makes one end; {@linkcode receive} is to be given what arrives. */
  constructor(functions: Functions, send: Send) {
    this.#send = send;
    this.#crossings = new Crossings({
      notify: (method, ...args) => this.notify(method, ...args),
      call: (method, ...args) => this.call(method, ...args),
    });
    const all = new Map(
      [...functions, ...this.#crossings.functions].map(([name, fn]) => [name, answering(fn)]),
    );
    this.#rpc = createBirpc<Remote, object, false>({}, {
      proxify: false,
      timeout: -1,
      post: (message: RpcMessage) => this.#post(message),
      on: (listener) => {
        this.#onMessage = listener;
      },
      resolver: (name) => all.get(name),
      // With a name it is an answer that can't be sent: its error is sent instead.
      onGeneralError: (_error, name) => name !== undefined,
    });
  }

  /** How many messages have come so far: from a side that is busy there are none. */
  get heard(): number {
    return this.#heard;
  }

  /**
   * Calls a function of the other side; rejects with what it threw.
   *
   * Signals that go along are followed for as long as the connection lasts; see
   * {@linkcode callScoped}.
   */
  call(method: string, ...args: unknown[]): Promise<unknown> {
    if (this.#closed) return Promise.reject(this.#closed());
    return this.#rpc.$call(method, ...args).then(resultOf, (error) => {
      throw ownError(error);
    });
  }

  /**
   * Calls a function of the other side and waits for no answer.
   *
   * @throws {HotplugError} `clone` or `limit` where it can't be sent.
   */
  notify(method: string, ...args: unknown[]): void {
    if (!this.#closed) this.#post({ m: method, a: args, t: "q" });
  }

  /** Calls a function; the signals that go along are followed until the call has ended. */
  callScoped(method: string, ...args: unknown[]): Promise<unknown> {
    return this.#crossings.scope(() => this.call(method, ...args));
  }

  /**
   * Takes a message from the other side.
   *
   * @throws {HotplugError} `protocol` for what is no message.
   */
  receive(message: Message): void {
    const { head } = message;
    this.#heard++;
    const envelope = readHead(head);
    let value: unknown;
    try {
      value = decode(message, this.#crossings.importer);
    } catch (error) {
      return this.#refuse(envelope, error);
    }
    if (envelope.t === "q" && !Array.isArray(value)) throw rubbish(head);
    this.#onMessage(envelope.open(value));
  }

  /** Ends it: calls under way are rejected, each with an error of its own; streams end with one. */
  close(reason: () => Error): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.#rpc.$rejectPendingCalls(({ reject }) => reject(reason()));
    this.#rpc.$close();
    this.#crossings.close(reason);
  }

  #post(message: RpcMessage): void {
    const { last, exporter } = this.#crossings;
    try {
      const { head, value } = seal(message);
      const { text, buffers } = encode(value, exporter);
      this.#send({ head, text, buffers });
    } catch (error) {
      this.#crossings.undo(last);
      throw error;
    }
  }

  /** A value that can't be read is the matter of its call only. */
  #refuse({ t, i }: Envelope, cause: unknown): void {
    const error = new HotplugError(
      "clone",
      `This side can't read a value that the other one has sent: ${(cause as Error).message}`,
      { cause },
    );
    if (t === "s") this.#onMessage({ t, i, e: error });
    else if (i !== undefined) this.#post({ t: "s", i, e: error });
  }
}

type Remote = Record<string, (...args: unknown[]) => unknown>;

/** Whatever is thrown is an answer: birpc takes a falsy one for success. */
function answering(
  fn: (...args: never[]) => unknown,
): (...args: never[]) => Promise<Outcome> {
  return async (...args) => {
    try {
      return { ok: await fn(...args) };
    } catch (error) {
      return { thrown: copyableThrown(error) };
    }
  };
}

function resultOf(outcome: unknown): unknown {
  if ("thrown" in (outcome as Outcome)) throw (outcome as { thrown: unknown }).thrown;
  return (outcome as { ok: unknown }).ok;
}

/** What birpc rejects with: an error of this side, or the other side's that it can't send its answer. */
function ownError(error: unknown): HotplugError {
  if (error instanceof HotplugError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = code === "clone" || code === "limit" ? code : "protocol";
  return new HotplugError(known, String(message), { cause: error });
}
