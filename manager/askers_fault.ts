/** What `Deno.serve` says where a body can't be read to its end, and `Deno.upgradeWebSocket` of headers. */
const FAULTS: readonly (readonly [name: string, message: RegExp])[] = [
  ["BadResource", /\bbody as underlying resource unavailable$/],
  // By a `fetch` that passes it on.
  ["Error", /\bbody as underlying resource unavailable$/],
  ["Error", /^request body is no longer readable$/],
  ["Error", /^unexpected EOF while reading HTTP\/1 body$/],
  ["Error", /^invalid HTTP\/1 request: /],
  // By HTTP/2; of what a plugin fetches itself it is a TypeError.
  ["Http", /^error reading a body from connection\b/],
  // Gone without a farewell: at the end of what came, or as the system tells it.
  ["Http", /^unexpected EOF while reading HTTP\/1 body$|\(os error \d+\)$/],
  ["TypeError", /^Invalid Header: '(?:upgrade|connection|sec-websocket-key)' header must /],
];
/** Why an answer did not come in its time: its request had not come in whole. */
export class StillSentError extends Error {
  /** The class's name. */
  override name = "StillSentError";

  /** Makes it. */
  constructor() {
    super("The request was still being sent");
  }
}

/** How deep a cause is looked for: they may go round in circles. */
const DEPTH = 5;

/**
 * Whether an error says that a request was wrong: that whoever sent it went away within its body, took too
 * long over it or sent rubbish there, or asked for a WebSocket without what belongs to it. As it is, or as the cause of another,
 * that is no failure of the plugin that answers. Never throws, whatever a plugin has thrown.
 */
export function isAskersFault(thrown: unknown): boolean {
  try {
    let each = thrown;
    for (let depth = 0; depth < DEPTH && each instanceof Error; depth++) {
      if (each instanceof StillSentError) return true;
      const { name, message } = each;
      if (FAULTS.some((fault) => fault[0] === name && fault[1].test(message))) return true;
      each = each.cause;
    }
  } catch {
    // A getter, or a proxy: nothing of the runtime's.
  }
  return false;
}
