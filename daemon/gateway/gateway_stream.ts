import { headersToSend, OwnResponse } from "../../plugin/mod.ts";

/** A response that can be ended from outside. */
export interface EndableResponse {
  /** The response. */
  readonly response: Response;
  /** Ends its body in good order, at what was sent so far; does nothing to one that has ended. */
  end(): void;
}

type Chunk = ReadableStreamReadResult<Uint8Array<ArrayBuffer>>;

/**
 * Makes a response endable, whose body would else be its plugin's alone. It costs: it is for streams
 * that may last for good.
 */
export function endable(response: Response): EndableResponse {
  const headers = headersToSend(response);
  const { body, status, statusText } = response;
  if (!body) return { response, end: () => {} };
  const reader = body.getReader();
  let ended = false;
  let wake = (): void => {};
  // Not by Promise.race with one promise of the end: each race would stay in its memory.
  const next = (): Promise<Chunk | undefined> =>
    new Promise((resolve, reject) => {
      wake = () => resolve(undefined);
      reader.read().then(resolve, reject);
    });
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const chunk = ended ? undefined : await next();
      if (chunk && !chunk.done) return controller.enqueue(chunk.value);
      controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return {
    response: new OwnResponse(stream, { status, statusText, headers }),
    end: () => {
      ended = true;
      wake();
      // Now: of a client that does not read, nothing may ever be asked for again.
      reader.cancel().catch(() => {});
    },
  };
}
