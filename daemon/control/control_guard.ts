import { hostname as machineName } from "node:os";
import { isIP } from "node:net";
import { HotplugError } from "../../artifact/mod.ts";
import { checkBearerToken } from "../../artifact/bearer_token.ts";

/** Where requests come in, and what they must bring along. */
export interface ControlDoor {
  /** The token; undefined for a unix socket, whose folder is private. */
  readonly token: string | undefined;
  /** The name that is listened on; undefined for a unix socket. */
  readonly hostname: string | undefined;
}

/**
 * Checks that a request may control: by its token, and that no web page has sent it.
 *
 * A page of any site can make a browser send requests to an address here, under a name that the
 * site's own server of names leads here. So the name must be an address, or one that is this machine's.
 *
 * @throws {HotplugError} `unauthorized` without the token, `forbidden` from a web page.
 */
export function checkControlAccess(request: Request, { token, hostname }: ControlDoor): void {
  if (token !== undefined) checkBearerToken(request, token);
  // By HTTP/2 there is no such header; what stands for it is in the URL.
  const host = request.headers.get("host") ?? new URL(request.url).host;
  if (hostname !== undefined && !isOwnName(host, hostname)) {
    throw forbidden(
      `it is addressed to ${
        JSON.stringify(host)
      }; ask for this machine by its address, or by the ` +
        "name that it listens on",
    );
  }
  const origin = request.headers.get("origin");
  const isOwn = hostname !== undefined && origin === `http://${host}`;
  const site = request.headers.get("sec-fetch-site") ?? "none";
  if (origin !== null && !isOwn || site !== "none" && site !== "same-origin") {
    throw forbidden("it comes from a web page");
  }
}

function isOwnName(host: string, hostname: string): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return isIP(name) !== 0 ||
    ["localhost", hostname.toLowerCase(), machineName().toLowerCase()].includes(name);
}

function forbidden(why: string): HotplugError {
  return new HotplugError("forbidden", `Cannot serve the request: ${why}`);
}
