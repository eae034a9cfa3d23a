import { headersToSend, ownResponse } from "./response_anew.ts";
import { isResponse, OwnResponse } from "./own_http.ts";
import { isUnusable } from "./is_unusable.ts";
import { requestAsItCame } from "./request_as_it_came.ts";

/** A request as it is sent to where a plugin runs; its body is streamed as it is read. */
export interface SentRequest {
  /** Its URL, as it came. */
  readonly url: string;
  /** Its method. */
  readonly method: string;
  /** Its headers, in order. */
  readonly headers: readonly (readonly [string, string])[];
  /** Its body; null where it has none. */
  readonly body: AsyncIterable<Uint8Array<ArrayBuffer>> | null;
  /** Where it comes from, as `Deno.serve` tells it. */
  readonly remoteAddr: unknown;
}

/** An answer as it is sent from where a plugin runs. */
export interface SentResponse {
  /** Its status. */
  readonly status: number;
  /** Its status in words. */
  readonly statusText: string;
  /** Its headers, in order. */
  readonly headers: readonly (readonly [string, string])[];
  /** Its body; null where it has none. */
  readonly body: AsyncIterable<Uint8Array<ArrayBuffer>> | null;
}

/** What a plugin gets beside a request. */
export interface FetchInfo {
  /** Where it comes from, as `Deno.serve` tells it. */
  readonly remoteAddr: unknown;
}

/** What answers requests: the default export of a plugin, as of a module for `deno serve`. */
export interface FetchHandler {
  /** Answers a request. */
  fetch(request: Request, info: FetchInfo): Response | Promise<Response>;
}

/** Whether a default export answers requests. */
export function isFetchHandler(value: unknown): value is FetchHandler {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  try {
    return typeof (value as { readonly fetch?: unknown }).fetch === "function";
  } catch {
    // A getter, or a proxy: what it throws is no reason not to load the rest.
    return false;
  }
}

const NO_RESPONSE = "its `fetch` did not answer with a Response";

/**
 * What a handler has answered with, as it can be sent.
 *
 * @throws {TypeError} Where it can't be.
 */
export function answerOf(answer: unknown): Response {
  const fault = faultOf(answer);
  if (fault !== undefined) throw new TypeError(fault);
  return ownResponse(answer as Response);
}

function faultOf(answer: unknown): string | undefined {
  try {
    if (!isResponse(answer)) return NO_RESPONSE;
    if (!isUnusable(answer) && answer.status !== 0) return undefined;
  } catch {
    // It has a Response's prototype, or is a proxy, and nothing behind it.
    return NO_RESPONSE;
  }
  return "its `fetch` answered with a Response whose body was read or is being read, or is an error";
}

/**
 * Makes of a request what can be sent. Its signal is none of that: `Deno.serve` (2.9.5) aborts it at the end
 * of every answer too, and warns on standard error of whoever looks at it.
 */
export function sendRequest(request: Request, { remoteAddr }: FetchInfo): SentRequest {
  const { url, method, headers, body } = request;
  return { url, method, headers: [...headers], body, remoteAddr };
}

/** Lets a handler answer a request that was sent; what it does not read of the body is let go. */
export async function answerRequest(
  handler: FetchHandler,
  sent: SentRequest,
): Promise<SentResponse> {
  const { url, method, headers, remoteAddr } = sent;
  const body = sent.body && ReadableStream.from(sent.body);
  const letGo = (): void => {
    // One that is being read can't be cancelled, and ends by itself.
    if (body && !body.locked) body.cancel().catch(() => {});
  };
  try {
    const request = requestAsItCame(url, method, { headers: toPairs(headers), body });
    return sendResponse(answerOf(await handler.fetch(request, { remoteAddr })), letGo);
  } catch (error) {
    letGo();
    throw error;
  }
}

/** Holds what a body is read from for as long as that takes. */
export type PinBody = <T>(body: AsyncIterable<T>) => AsyncIterable<T>;

/** Makes the answer again that was sent; throws whatever rubbish makes it throw. */
export function receiveResponse(
  { status, statusText, headers, body }: SentResponse,
  pin: PinBody,
): Response {
  const init = { status, statusText, headers: toPairs(headers) };
  // Tried without the body first: what can't be answered with must hold nothing.
  const empty = new OwnResponse(null, init);
  return body && !NULL_BODY.has(status)
    ? new OwnResponse(ReadableStream.from(pin(bytesOf(body))), init)
    : empty;
}

/**
 * Ends a body at what is no bytes: whoever sends it stops at that, and lets nobody know, so that it would
 * be held for good.
 */
function bytesOf(
  body: AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
  return passOn(body, async (source) => {
    const item = await source.next();
    if (item.done || item.value instanceof Uint8Array) return item;
    Promise.resolve(source.return?.()).catch(() => {});
    throw new TypeError("the body of its answer has what is no Uint8Array");
  });
}

/** With these there is no body. */
const NULL_BODY: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

function sendResponse(response: Response, ended: () => void): SentResponse {
  const headers = headersToSend(response);
  const { status, statusText, body } = response;
  if (!body) ended();
  return {
    status,
    statusText,
    headers,
    body: body && endingWith(chunksOf(body), ended),
  };
}

/**
 * Reads a stream so that it can be ended while it is waited for: its own iterator would cancel it after its
 * next chunk only, which may never come.
 */
function chunksOf<T>(stream: ReadableStream<T>): AsyncIterable<T> {
  const reader = stream.getReader();
  let rest: T | undefined;
  return {
    [Symbol.asyncIterator]: () => ({
      async next(): Promise<IteratorResult<T>> {
        const { done, value } = rest === undefined
          ? await reader.read()
          : { done: false as const, value: rest };
        if (done) return { done, value: undefined };
        const [piece, more] = split(value);
        rest = more;
        return { done: false, value: piece };
      },
      async return(value: unknown): Promise<IteratorResult<T>> {
        await reader.cancel();
        return { done: true, value };
      },
    }),
  };
}

/** So much of a body goes in one piece, in bytes: what a plugin has at hand may be more than is sent at once. */
const MAX_PIECE = 2 ** 24;

function split<T>(value: T): [piece: T, more: T | undefined] {
  if (!(value instanceof Uint8Array) || value.length <= MAX_PIECE) return [value, undefined];
  return [value.subarray(0, MAX_PIECE) as T, value.subarray(MAX_PIECE) as T];
}

function endingWith<T>(body: AsyncIterable<T>, ended: () => void): AsyncIterableIterator<T> {
  return passOn(body, async (source) => {
    try {
      const item = await source.next();
      if (item.done) ended();
      return item;
    } catch (error) {
      ended();
      throw error;
    }
  }, ended);
}

/** An iterator of its own, no generator: one that is ended before it began must end what it reads. */
function passOn<T>(
  body: AsyncIterable<T>,
  next: (source: AsyncIterator<T>) => Promise<IteratorResult<T>>,
  ended?: () => void,
): AsyncIterableIterator<T> {
  const source = body[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => next(source),
    async return(value) {
      ended?.();
      return await source.return?.(value) ?? { done: true, value };
    },
  };
}

function toPairs(headers: readonly (readonly [string, string])[]): [string, string][] {
  return headers.map(([name, value]) => [name, value]);
}
