/**
 * The classes of requests and answers as they were at first. A plugin inline, or a library of its host, may
 * put its own in their place, for all (as `@hono/node-server` does): what `Deno.serve` is answered with
 * must be of the runtime's class, or it answers nobody any more.
 */
export const { Request: OwnRequest, Response: OwnResponse } = globalThis;

/** Whether it is an answer, of the runtime's class or of what stands in its place. */
export function isResponse(value: unknown): value is Response {
  return value instanceof OwnResponse || value instanceof Response;
}
