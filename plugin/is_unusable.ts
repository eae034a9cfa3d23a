import { OwnResponse } from "./own_http.ts";
import { runtimeSymbol } from "./runtime_symbol.ts";

/** Where Deno keeps a body: under a symbol of its own, by a getter for all answers. */
const BODY = runtimeSymbol(OwnResponse.prototype, "body");

/** What Deno knows of a body. */
interface InnerBody {
  /** Whether it was read, or is being read. */
  unusable(): boolean;
}

/**
 * Whether an answer can't be sent any more, since somebody has read its body or is at it: "unusable" is the
 * Fetch standard's word.
 *
 * What is public says only half of it, or costs too much: `bodyUsed` tells of what was read, not of a reader
 * that has the stream locked; and to ask for the stream makes one of what was a string, which `Deno.serve`
 * sends at nearly twice the cost of all the rest. So Deno's own knowledge is asked, and the stream where
 * that is not at hand: of another class, and should Deno keep it elsewhere one day.
 */
export function isUnusable(response: Response): boolean {
  const inner = innerBodyOf(response);
  if (inner === null) return false;
  return inner ? inner.unusable() : response.bodyUsed || response.body?.locked === true;
}

function innerBodyOf(response: Response): InnerBody | null | undefined {
  if (!BODY || Object.getPrototypeOf(response) !== OwnResponse.prototype) return undefined;
  const inner =
    (response as unknown as Record<symbol, Partial<InnerBody> | null | undefined>)[BODY];
  if (inner === null) return null;
  return typeof inner?.unusable === "function" ? inner as InnerBody : undefined;
}
