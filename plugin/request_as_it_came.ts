import { OwnRequest } from "./own_http.ts";

/** What `Request` refuses with a body, or whatever it has; in other cases than these two. */
const REFUSED = /^(?:get|head|connect|trace|track)$/i;
/** None that means anything, to whomever a plugin may pass the request on. */
const IN_PLACE = "AS-IT-CAME";

/**
 * Makes a request with URL and method to the letter, as `Deno.serve` does. `Request` resolves `/a/../b`,
 * takes `get` for `GET`, and then refuses its body: that would be a failure of a plugin which was never
 * asked.
 */
export function requestAsItCame(
  url: string,
  method: string,
  init: Omit<RequestInit, "method">,
): Request {
  const isRefused = method !== "GET" && method !== "HEAD" && REFUSED.test(method);
  const request = new OwnRequest(url, { ...init, method: isRefused ? IN_PLACE : method });
  return keepLetters(request, url, method);
}

function keepLetters(request: Request, url: string, method: string): Request {
  if (request.url === url && request.method === method) return request;
  const clone = request.clone.bind(request);
  return Object.defineProperties(request, {
    url: { value: url },
    method: { value: method },
    clone: { value: () => keepLetters(clone(), url, method) },
  });
}
