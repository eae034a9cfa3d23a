import { OwnRequest, runtimeSymbol } from "../../plugin/mod.ts";

/** Where Deno keeps what it knows of a request: under symbols of its own. */
const REQUEST = new OwnRequest("http://localhost");
const INNER = runtimeSymbol(REQUEST, "request");
const HEADERS = runtimeSymbol(REQUEST, "headers cache");

type Symbols = Readonly<Record<symbol, unknown>>;

/** What Deno knows of a request that it serves. */
interface InnerRequest {
  /** A header, as it came; null where there is none. */
  header(name: string): string | null;
}

/**
 * Whether somebody has asked for a request's headers, or that can't be known: `Deno.serve` (2.9.5) sends the
 * answer to it one step later then, in which anybody whose step is due may begin to read that.
 */
export function areHeadersRead(request: Request): boolean {
  return !HEADERS || (request as unknown as Symbols)[HEADERS] !== undefined;
}

/**
 * The host that a request names in its header; null where it names none. Asked of what Deno knows where that
 * is at hand, so that nobody has asked for its headers.
 */
export function hostOf(request: Request): string | null {
  const inner = INNER &&
    (request as unknown as Symbols)[INNER] as Partial<InnerRequest> | undefined;
  if (typeof inner?.header === "function") return inner.header("host");
  return request.headers.get("host");
}
