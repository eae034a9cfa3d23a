import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readPem } from "./_pem.ts";
import { quote } from "./_quote.ts";
import {
  checkJwk,
  checkKeyId,
  type Jwk,
  keyAndId,
  keyError,
  type KeySource,
  readJwks,
} from "./key.ts";
import { publicJwk, type PublicKey, publicKeyId } from "./public_key.ts";

/** A private key that was read: it signs, and keeps what it is to itself. */
export interface SigningKey {
  /** The public key that belongs to it, and their id. */
  readonly publicKey: PublicKey;
  /** Signs bytes: the signature of Ed25519, 64 bytes. */
  readonly sign: (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
}

/**
 * Reads a private key of Ed25519: PEM (PKCS #8, not encrypted), a JWK or its JSON, or `{ id, key }`.
 *
 * Its id is found as in {@linkcode parsePublicKeys}.
 *
 * @throws {HotplugError} code `key`: it can't be read, or is not a private one of Ed25519
 */
export function parseSigningKey(source: KeySource): SigningKey {
  const { key, id } = keyAndId(source);
  const text = typeof key === "string";
  const { object, kid } = text && !key.trimStart().startsWith("{")
    ? readPrivatePem(key)
    : readPrivateJwk(text ? onlyOne(readJwks(key)) : key);
  const publicObject = createPublicKey(object);
  const publicKey = {
    key: publicJwk(publicObject),
    id: checkKeyId(id ?? kid ?? publicKeyId(publicObject)),
  };
  const { d } = object.export({ format: "jwk" });
  return {
    publicKey,
    async sign(bytes) {
      const jwk = { ...publicKey.key, d };
      const secret = await crypto.subtle.importKey("jwk", jwk, "Ed25519", false, ["sign"]);
      return new Uint8Array(await crypto.subtle.sign("Ed25519", secret, bytes));
    },
  };
}

interface PrivateObject {
  readonly object: KeyObject;
  readonly kid?: string | undefined;
}

function readPrivatePem(text: string): PrivateObject {
  const blocks = readPem(text);
  const [block] = blocks ?? [];
  if (block === undefined || blocks?.length !== 1) {
    throw keyError("it is neither one block of PEM nor a JWK, or was cut or changed");
  }
  if (block.label === "PUBLIC KEY") throw isPublic();
  if (block.label !== "PRIVATE KEY") {
    throw keyError(
      `it is PEM of a ${quote(block.label)}, not "PRIVATE KEY"; an encrypted one is to be ` +
        "decrypted first",
    );
  }
  return { object: read({ key: block.der as Buffer, format: "der", type: "pkcs8" }) };
}

function readPrivateJwk(jwk: Jwk): PrivateObject {
  if (typeof jwk !== "object" || jwk === null) throw keyError(`it is ${quote(jwk)}`);
  checkJwk(jwk, "sign");
  const { kty, crv, x, d, kid } = jwk;
  if (d === undefined) throw isPublic();
  const object = read({ key: { kty, crv, x, d }, format: "jwk" });
  if (createPublicKey(object).export({ format: "jwk" }).x !== x) {
    throw keyError(`its "x" and "d" don't belong together`);
  }
  return { object, kid };
}

function onlyOne(jwks: readonly Jwk[]): Jwk {
  const [jwk] = jwks;
  if (jwk !== undefined && jwks.length === 1) return jwk;
  throw keyError(`there are ${jwks.length} in it; give the one to sign with`);
}

function read(input: Parameters<typeof createPrivateKey>[0]): KeyObject {
  try {
    return createPrivateKey(input);
  } catch {
    // Without its cause: what reads keys may quote them.
    throw keyError("what it holds is no private key of Ed25519");
  }
}

function isPublic(): Error {
  return keyError("it is a public one; what signs is the private one");
}
