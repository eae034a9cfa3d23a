import { HotplugError } from "../../artifact/mod.ts";
import { checkBearerToken } from "../../artifact/bearer_token.ts";
import { isLoopback } from "./service_options.ts";

/**
 * Checks that a request may ask for builds: by the token, or where there is none, by coming from
 * this machine itself and from no web page. A page of any site can make a browser send a request
 * here, under a name that its own server of names leads here.
 *
 * @throws {HotplugError} With code `unauthorized`.
 */
export function checkAccess(request: Request, token: string | undefined): void {
  if (token !== undefined) return checkBearerToken(request, token);
  const { hostname } = new URL(request.url);
  if (!isLoopback(hostname)) {
    throw refusal(
      `it is addressed to ${JSON.stringify(hostname)}; without a token only 127.0.0.1, ` +
        `[::1] and localhost are served`,
    );
  }
  const site = request.headers.get("sec-fetch-site") ?? "none";
  if (request.headers.has("origin") || site !== "none") {
    throw refusal("it comes from a web page; set a token to take such ones");
  }
}

function refusal(why: string): HotplugError {
  return new HotplugError("unauthorized", `Cannot serve the request: ${why}`);
}
