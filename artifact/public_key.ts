import { createPublicKey, type KeyObject } from "node:crypto";
import { decodeBase64 } from "./_base64.ts";
import { type PemBlock, readPem } from "./_pem.ts";
import { quote } from "./_quote.ts";
import { sha256 } from "./digest.ts";
import {
  checkJwk,
  checkKeyId,
  type Jwk,
  keyAndId,
  keyError,
  type KeySource,
  readJwks,
  wrongAlgorithm,
} from "./key.ts";

/** A public key that was read. */
export interface PublicKey {
  /** Its id: what a signature names it by. */
  readonly id: string;
  /** The key itself. */
  readonly key: {
    /** The family. */
    readonly kty: "OKP";
    /** The curve. */
    readonly crv: "Ed25519";
    /** The public key, as base64url. */
    readonly x: string;
  };
}

/**
 * Reads public keys of Ed25519: PEM (also several blocks in one text), a JWK, its JSON or that of a
 * set, or `{ id, key }`.
 *
 * A key's id is the one given, else the `kid` of its JWK, else the SHA-256 of the key (of its SPKI,
 * as hex). The same key twice is one key.
 *
 * @example
 * ```ts
 * import { generateKeyPair, parsePublicKeys } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * const { id, publicKey } = await generateKeyPair();
 * assertEquals(parsePublicKeys(publicKey).map((key) => key.id), [id]);
 * ```
 *
 * @throws {HotplugError} code `key`: it can't be read, is private or of another algorithm, or two
 * keys share an id
 */
export function parsePublicKeys(source: KeySource | readonly KeySource[]): PublicKey[] {
  const sources: readonly KeySource[] = isList(source) ? source : [source];
  const keys = new Map<string, PublicKey>();
  for (const key of sources.flatMap(readKeys)) {
    const known = keys.get(key.id);
    if (known !== undefined && known.key.x !== key.key.x) {
      throw keyError(`its id ${quote(key.id)} is that of another one too`);
    }
    keys.set(key.id, key);
  }
  return [...keys.values()];
}

/** The id of a key that has none of its own. */
export function publicKeyId(key: KeyObject): string {
  return sha256(key.export({ format: "der", type: "spki" }));
}

/** The public key in the form that WebCrypto takes. */
export function publicJwk(key: KeyObject): PublicKey["key"] {
  const { x } = key.export({ format: "jwk" });
  if (key.asymmetricKeyType !== "ed25519" || x === undefined) {
    throw wrongAlgorithm(quote(key.asymmetricKeyType));
  }
  return { kty: "OKP", crv: "Ed25519", x };
}

function isList(source: KeySource | readonly KeySource[]): source is readonly KeySource[] {
  return Array.isArray(source);
}

function readKeys(source: KeySource): PublicKey[] {
  const { key, id } = keyAndId(source);
  const keys = typeof key === "string" ? readText(key) : [readJwk(key)];
  if (id === undefined) return keys;
  const [only] = keys;
  if (only === undefined || keys.length > 1) {
    throw keyError(`${keys.length} keys are given the one id ${quote(id)}`);
  }
  return [{ ...only, id: checkKeyId(id) }];
}

function readText(text: string): PublicKey[] {
  if (text.trimStart().startsWith("{")) return readJwks(text).map(readJwk);
  const blocks = readPem(text);
  if (blocks === undefined || blocks.length === 0) {
    throw keyError("it is neither PEM nor a JWK, or was cut or changed");
  }
  return blocks.map(readBlock);
}

function readBlock({ label, der }: PemBlock): PublicKey {
  if (label.endsWith("PRIVATE KEY")) throw isPrivate();
  if (label !== "PUBLIC KEY") throw keyError(`it is PEM of a ${quote(label)}, not "PUBLIC KEY"`);
  const key = read(() => createPublicKey({ key: der as Buffer, format: "der", type: "spki" }));
  const jwk = publicJwk(key);
  return { id: publicKeyId(key), key: jwk };
}

function readJwk(jwk: Jwk): PublicKey {
  if (typeof jwk !== "object" || jwk === null) throw keyError(`it is ${quote(jwk)}`);
  if ("d" in jwk) throw isPrivate();
  checkJwk(jwk, "verify");
  const { x } = jwk;
  if (typeof x !== "string" || decodeBase64(x, "base64url")?.length !== 32) {
    throw keyError(`its "x" is not the base64url of 32 bytes`);
  }
  const key = { kty: "OKP", crv: "Ed25519", x } as const;
  const object = read(() => createPublicKey({ key, format: "jwk" }));
  return { id: jwk.kid === undefined ? publicKeyId(object) : checkKeyId(jwk.kid), key };
}

function read(create: () => KeyObject): KeyObject {
  try {
    return create();
  } catch (cause) {
    throw keyError("what it holds is no public key", { cause });
  }
}

function isPrivate(): Error {
  return keyError("it is a private one; give the public one, which hotplug keygen writes as .pub");
}
