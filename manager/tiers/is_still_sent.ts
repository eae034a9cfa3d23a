import { OwnRequest } from "../../plugin/mod.ts";

/** Where Deno keeps what it knows of a request: under a symbol of its own. */
const INNER = Object.getOwnPropertySymbols(new OwnRequest("http://localhost"))
  .find(({ description }) => description === "request");

type Symbols = Readonly<Record<symbol, unknown>>;

/** What Deno knows of a request. */
interface InnerRequest {
  /** Its body. */
  readonly body?: { readonly streamOrStatic?: unknown } | null;
}

/**
 * Whether somebody is reading a request's body that has not come to its end yet; false where that can't be
 * known. Nothing that is public tells of a stream that somebody reads.
 */
export function isStillSent(request: Request): boolean {
  if (!request.bodyUsed || !INNER) return false;
  const inner = (request as unknown as Symbols)[INNER] as InnerRequest | undefined;
  const stream = inner?.body?.streamOrStatic;
  if (!(stream instanceof ReadableStream)) return false;
  const state = Object.getOwnPropertySymbols(stream)
    .find(({ description }) => description === "[[state]]");
  return state !== undefined && (stream as unknown as Symbols)[state] === "readable";
}
