import { HotplugError } from "./errors.ts";
import { sameSecret } from "./same_secret.ts";

/**
 * Checks that a request brings the token along, as `Authorization: Bearer TOKEN`.
 *
 * @throws {HotplugError} `unauthorized` where it brings none, or another one.
 */
export function checkBearerToken({ headers }: Pick<Request, "headers">, token: string): void {
  const [, given = ""] = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "") ?? [];
  if (sameSecret(given, token)) return;
  throw new HotplugError(
    "unauthorized",
    given === ""
      ? "Cannot serve the request: it has no token; give it as --token-file FILE, or in the header " +
        "authorization: Bearer TOKEN"
      : "Cannot serve the request: its token is another one",
  );
}
