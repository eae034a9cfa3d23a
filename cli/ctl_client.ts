import { EventSourceParserStream } from "eventsource-parser/stream";
import { type ErrorCode, HotplugError } from "../artifact/mod.ts";
import { describeError } from "../manager/describe_error.ts";
import type { CtlPlace } from "./ctl_find.ts";

/** An event as it came. */
export interface CtlEvent {
  /** What to go on after. */
  readonly id: string;
  /** The event, as JSON. */
  readonly json: string;
}

/** How long it is tried to reach a daemon again that has told of events, in milliseconds. */
const PATIENCE = 10_000;
const PAUSE = 250;
/** How long a daemon whose loop turns may take for a sign of life, in milliseconds. */
const SIGN_OF_LIFE = 5_000;

/** Asks a daemon's control. */
export class CtlClient implements Disposable {
  readonly #place: CtlPlace;
  readonly #http: Deno.HttpClient;
  readonly #signal: AbortSignal | undefined;
  /** Held on to: of an answer that is collected as garbage Deno (2.9.5) breaks off no body by a signal. */
  #following: Response | undefined;

  /** Makes a client; the signal ends what is under way. */
  constructor(place: CtlPlace, signal: AbortSignal | undefined) {
    this.#place = place;
    this.#signal = signal;
    this.#http = Deno.createHttpClient(
      place.socket === undefined ? {} : { proxy: { transport: "unix", path: place.socket } },
    );
  }

  /**
   * Resolves once the daemon gives a sign of life: what it is asked for then may take its time.
   *
   * @throws {HotplugError} `remote` where none answers in time.
   */
  async reach(): Promise<void> {
    const signal = AbortSignal.timeout(SIGN_OF_LIFE);
    const { body } = await this.#fetch("livez", { signal }).catch((error) => {
      // A gateway of a daemon's speaks as its control does, and has something else at every path.
      throw (error as HotplugError).code === "not-found" ? this.#otherwise("404") : error;
    });
    await body?.cancel();
  }

  /**
   * Asks for something; resolves to the answer.
   *
   * @throws {HotplugError} What the daemon failed with; `remote` where none answers.
   */
  async ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await this.#fetch(path, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
    });
    try {
      return await response.json();
    } catch (cause) {
      if (cause instanceof SyntaxError) throw this.#otherwise("with what is no JSON");
      throw this.#unreachable(cause);
    }
  }

  /**
   * The newest events, so many of them, and then those to come, if they are to be followed; until the
   * daemon ends. A connection that breaks is made anew, and nothing is told twice.
   *
   * @throws {HotplugError} As {@linkcode ask}.
   */
  async *events(last: number, follow: boolean): AsyncGenerator<CtlEvent> {
    let lastId: string | undefined;
    let brokeAt: number | undefined;
    while (!this.#signal?.aborted) {
      try {
        const { began, events } = await this.#stream(last, follow, lastId);
        lastId ??= began;
        for await (const event of events) {
          brokeAt = undefined;
          if (event.id) lastId = event.id;
          yield event;
          if ((JSON.parse(event.json) as { type?: unknown }).type === "stopped") return;
        }
        if (!follow) return;
      } catch (error) {
        if (this.#signal?.aborted) return;
        const isPassing = error instanceof HotplugError && error.code === "remote";
        if (lastId === undefined || !isPassing) throw error;
        if (Date.now() - (brokeAt ?? Date.now()) > PATIENCE) throw error;
      }
      brokeAt ??= Date.now();
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  /** Ends its connections. */
  [Symbol.dispose](): void {
    this.#following = undefined;
    this.#http.close();
  }

  async #stream(
    last: number,
    follow: boolean,
    lastId: string | undefined,
  ): Promise<{ began: string | undefined; events: AsyncGenerator<CtlEvent> }> {
    const response = await this.#fetch(`v1/events?last=${last}&follow=${follow}`, {
      headers: { ...(lastId !== undefined && { "last-event-id": lastId }) },
    });
    const { body, headers } = response;
    this.#following = response;
    if (!headers.get("content-type")?.startsWith("text/event-stream")) {
      await body?.cancel();
      throw this.#otherwise("with no stream of events");
    }
    // Before any event came, too, one that breaks is to be gone on with.
    return { began: headers.get("last-event-id") ?? undefined, events: this.#read(body) };
  }

  async *#read(body: ReadableStream<Uint8Array<ArrayBuffer>> | null): AsyncGenerator<CtlEvent> {
    const events = body?.pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream());
    try {
      for await (const { id = "", data } of events ?? []) yield { id, json: data };
    } catch (cause) {
      throw this.#unreachable(cause);
    }
  }

  async #fetch(path: string, { signal, ...init }: RequestInit): Promise<Response> {
    const { url, token } = this.#place;
    const signals = [signal, this.#signal].filter((each) => each !== undefined && each !== null);
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    const response = await fetch(new URL(path, url), {
      ...init,
      headers,
      client: this.#http,
      redirect: "error",
      signal: AbortSignal.any(signals),
    }).catch((cause) => {
      throw this.#unreachable(cause);
    });
    if (response.ok) return response;
    throw await this.#failure(response);
  }

  async #failure(response: Response): Promise<HotplugError> {
    const { code, detail } = await response.json().catch(() => ({})) as Record<string, unknown>;
    if (typeof code === "string" && typeof detail === "string") {
      return new HotplugError(code === "unexpected" ? "remote" : code as ErrorCode, detail);
    }
    return this.#otherwise(String(response.status));
  }

  /** Somebody is there, and does not speak as a daemon does. */
  #otherwise(what: string): HotplugError {
    return new HotplugError(
      "remote",
      `"${this.#place.label}" answers ${what} and is no daemon's control; check the address`,
    );
  }

  #unreachable(cause: unknown): HotplugError {
    const { label } = this.#place;
    if (this.#signal?.aborted) {
      return new HotplugError("cancelled", `Ended before the daemon at "${label}" had answered`);
    }
    if (cause instanceof DOMException && cause.name === "TimeoutError") {
      return new HotplugError(
        "remote",
        `The daemon at "${label}" gave no sign of life for ${SIGN_OF_LIFE} ms: its process is stopped, ` +
          "or a plugin keeps it busy; see what it does, or end it",
        { cause },
      );
    }
    return new HotplugError(
      "remote",
      `No daemon answers at "${label}": ${describeError(reasonOf(cause))}; see that it runs`,
      { cause },
    );
  }
}

/** What `fetch` fails with says no more than that; why is in its cause. */
function reasonOf(error: unknown): unknown {
  return error instanceof TypeError && error.cause instanceof Error ? error.cause : error;
}
