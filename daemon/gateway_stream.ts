/** A response that can be ended from outside. */
export interface EndableResponse {
  /** The response. */
  readonly response: Response;
  /** Ends its body in good order, at what was sent so far. */
  end(): void;
}

/**
 * Makes a response endable, whose body would else be its plugin's alone. It costs: it is for streams
 * that may last for good.
 */
export function endable(response: Response): EndableResponse {
  const { body, status, statusText, headers } = response;
  if (!body) return { response, end: () => {} };
  const reader = body.getReader();
  let end = (): void => {};
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      end = () => {
        end = () => {};
        controller.close();
        reader.cancel().catch(() => {});
      };
    },
    async pull(controller) {
      const before = end;
      const { done, value } = await reader.read();
      if (end !== before) return;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return {
    response: new Response(stream, { status, statusText, headers }),
    end: () => end(),
  };
}
