/** What a request brings along as `Authorization: Bearer TOKEN`; empty where it brings nothing. */
export function bearerToken(headers: Headers): string {
  return /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? "";
}
