import { quote } from "./_quote.ts";
import { HotplugError } from "./errors.ts";

/** A key as a JSON Web Key (RFC 8037): `OKP`, `Ed25519`. */
export interface Jwk {
  /** The family, `OKP`. */
  readonly kty?: string;
  /** The curve, `Ed25519`. */
  readonly crv?: string;
  /** The public key, as base64url. */
  readonly x?: string;
  /** The private key, as base64url; a public key has none. */
  readonly d?: string;
  /** The id. */
  readonly kid?: string;
  /** The algorithm, if it says so: `EdDSA` or `Ed25519`. */
  readonly alg?: string;
  /** What it is for, if it says so: `sig`. */
  readonly use?: string;
  /** What may be done with it, if it says so. */
  readonly key_ops?: readonly string[];
}

/** A key with the id that it goes by, whatever its own is. */
export interface NamedKey {
  /** The id: 1 to 128 printable characters of ASCII. */
  readonly id: string;
  /** The key, as PEM, JWK or the JSON of one. */
  readonly key: string | Jwk;
}

/** A key: as PEM, as JWK or the JSON of one, or under an id of one's own. */
export type KeySource = string | Jwk | NamedKey;

/** The longest id of a key, in characters. */
const MAX_ID_LENGTH = 128;

/** Takes a key and its id apart. */
export function keyAndId(source: KeySource): { key: string | Jwk; id: string | undefined } {
  if (typeof source === "string") return { key: source, id: undefined };
  if (typeof source !== "object" || source === null) {
    throw keyError(`it is ${quote(source)}; give PEM, a JWK, or an id and one of these`);
  }
  return "key" in source ? { key: source.key, id: source.id } : { key: source, id: undefined };
}

/** Checks an id; answers with it. */
export function checkKeyId(id: unknown): string {
  if (typeof id === "string" && id.length <= MAX_ID_LENGTH && /^[\x21-\x7e]+$/.test(id)) return id;
  throw keyError(`its id is ${quote(id)}; an id has 1 to 128 printable characters, no spaces`);
}

/** Reads the JSON of a key, or of a set of keys (`{"keys":[…]}`). */
export function readJwks(text: string): Jwk[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw keyError("it is neither PEM nor JSON", { cause });
  }
  const list = isRecord(value) && "keys" in value ? value.keys : [value];
  if (Array.isArray(list) && list.length > 0 && list.every(isRecord)) return list;
  throw keyError("its JSON is neither a JWK nor a set of them");
}

/** Refuses a JWK that is of another kind, or for another purpose; says nothing of `x` and `d`. */
export function checkJwk(jwk: Jwk, operation: "sign" | "verify"): void {
  const { kty, crv, alg, use, key_ops: operations } = jwk;
  if (kty !== "OKP" || crv !== "Ed25519") {
    throw wrongAlgorithm(`${quote(kty)}${crv === undefined ? "" : ` ${quote(crv)}`}`);
  }
  if (alg !== undefined && alg !== "EdDSA" && alg !== "Ed25519") throw wrongAlgorithm(quote(alg));
  if (use !== undefined && use !== "sig") throw keyError(`it is for ${quote(use)}, not for "sig"`);
  if (operations === undefined) return;
  if (Array.isArray(operations) && operations.includes(operation)) return;
  throw keyError(`its "key_ops" don't allow to ${operation}`);
}

/** The error for a key of an algorithm that is not in use here. */
export function wrongAlgorithm(what: string, options?: ErrorOptions): HotplugError {
  return keyError(
    `it is of ${what}, and only Ed25519 is in use; make one with hotplug keygen`,
    options,
  );
}

/** The error for what is no key, or not one for the purpose. Never says what it holds. */
export function keyError(why: string, options?: ErrorOptions): HotplugError {
  return new HotplugError("key", `Cannot use the key: ${why}`, options);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
