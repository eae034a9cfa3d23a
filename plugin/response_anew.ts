import { OwnResponse } from "./own_http.ts";
import { runtimeSymbol } from "./runtime_symbol.ts";

/** Where Deno keeps what it knows of an answer: under a symbol of its own. */
const INNER = runtimeSymbol(new OwnResponse(), "response");

/** What Deno knows of an answer. */
interface InnerResponse {
  /** Whether its body is decoded while its headers are still those of what was encoded. */
  readonly bodyDecoded?: unknown;
  /** Its body: a stream, or what one is yet to be made of. */
  readonly body?: { readonly streamOrStatic?: { readonly body?: unknown } } | null;
}

/**
 * The headers of an answer that is made anew from its stream; to be asked before that is.
 *
 * `Deno.serve` mends two of an answer that it gets as it was made, and can't of one made anew: what was
 * fetched has headers of its encoded body, and a stream that is decoded (denoland/deno#35124); and of a text
 * it sends the length in bytes, whatever its `content-length` says.
 */
export function headersToSend(response: Response): [string, string][] {
  const pairs = [...response.headers];
  const inner = INNER &&
    (response as unknown as Record<symbol, InnerResponse | undefined>)[INNER];
  if (inner?.bodyDecoded === true) return pairs.filter(([name]) => !OF_ENCODED.has(name));
  if (!pairs.some(([name]) => name === "content-length")) return pairs;
  const length = lengthOf(inner?.body?.streamOrStatic?.body);
  if (length === undefined) return pairs;
  return pairs.map(([name, value]) => [name, name === "content-length" ? String(length) : value]);
}

/** The same answer in a response of its own, which takes the body over. */
export function responseAnew(response: Response): Response {
  const headers = headersToSend(response);
  const { body, status, statusText } = response;
  return new OwnResponse(body, { status, statusText, headers });
}

/** The answer as one of the runtime's own class, which it mostly is. */
export function ownResponse(response: Response): Response {
  const isOwn = Object.getPrototypeOf(response) === OwnResponse.prototype;
  return isOwn ? response : responseAnew(response);
}

const OF_ENCODED: ReadonlySet<string> = new Set(["content-encoding", "content-length"]);

function lengthOf(body: unknown): number | undefined {
  if (typeof body === "string") return new TextEncoder().encode(body).length;
  return body instanceof Uint8Array ? body.byteLength : undefined;
}
