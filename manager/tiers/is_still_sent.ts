import { OwnRequest, runtimeSymbol } from "../../plugin/mod.ts";

/** Where Deno keeps what it knows of a request: under a symbol of its own. */
const INNER = runtimeSymbol(new OwnRequest("http://localhost"), "request");

type Symbols = Readonly<Record<symbol, unknown>>;

/** What Deno knows of a request. */
interface InnerRequest {
  /** Its body. */
  readonly body?: { readonly streamOrStatic?: unknown } | null;
}

/**
 * Whether somebody is reading a request's body, or a clone's, that has not come to its end yet; false where
 * that can't be known, as of one that a `fetch` passes on. Nothing that is public tells of a stream that
 * somebody reads.
 */
export function isStillSent(request: Request): boolean {
  const inner = INNER && (request as unknown as Symbols)[INNER] as InnerRequest | undefined;
  const stream = inner?.body?.streamOrStatic;
  if (!(stream instanceof ReadableStream) || get(stream, "[[state]]") !== "readable") return false;
  // Of one that was cloned this is a branch, which is fed as the other one is read.
  const isCloned = get(stream, "[[resourceBacking]]") === null;
  if (!isCloned) return request.bodyUsed;
  const controller = get(stream, "[[controller]]");
  return typeof controller === "object" && get(controller, "[[closeRequested]]") === false;
}

function get(object: object | null, name: string): unknown {
  const symbol = runtimeSymbol(object ?? {}, name);
  return symbol && (object as Symbols)[symbol];
}
