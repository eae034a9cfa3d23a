import { setImmediate } from "node:timers";

/** Does what is left to be done of an answer, just before it is sent. */
export type Finish = () => Response;

/**
 * Finishes an answer that comes later in a turn of its own, and answers with it.
 *
 * `Deno.serve` takes what a promise resolves to one step later, and between the two anybody whose own step was
 * due may begin to read the body: then it is sent to nobody, and never ends. In a new turn of the event loop
 * no step is due: what is found good then is sent as it is.
 */
export function inItsTurn(answer: Promise<Finish>): Promise<Response> {
  return new Promise((resolve, reject) => {
    answer.then((finish) => {
      setImmediate(() => {
        try {
          resolve(finish());
        } catch (error) {
          reject(error);
        }
      });
    }, reject);
  });
}
