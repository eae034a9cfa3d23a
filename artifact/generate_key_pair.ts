import { encodeBase64 } from "./_base64.ts";
import { formatPem } from "./_pem.ts";
import { checkKeyId } from "./key.ts";
import { parsePublicKeys } from "./public_key.ts";

/** A new pair of keys, as texts to be kept. */
export interface KeyPair {
  /** The id that signatures will name it by. */
  readonly id: string;
  /** The public key: for the hosts. */
  readonly publicKey: string;
  /** The private key: for who builds, and nobody else. */
  readonly privateKey: string;
}

/**
 * Makes a pair of keys of Ed25519, as PEM; with an id of one's own as JWK, since PEM has no place for
 * one.
 *
 * @example
 * ```ts
 * import { generateKeyPair } from "@hotplug/hotplug/artifact";
 * import { assertEquals, assertMatch } from "@std/assert";
 *
 * const { publicKey } = await generateKeyPair();
 * assertMatch(publicKey, /^-----BEGIN PUBLIC KEY-----\n/);
 * const named = await generateKeyPair({ id: "release-2027" });
 * assertEquals(JSON.parse(named.publicKey).kid, "release-2027");
 * ```
 *
 * @throws {HotplugError} code `key`: the id has more than 128 characters, none, or odd ones
 */
export async function generateKeyPair(options: { readonly id?: string } = {}): Promise<KeyPair> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  return options.id === undefined
    ? await asPem(pair as CryptoKeyPair)
    : await asJwk(pair as CryptoKeyPair, checkKeyId(options.id));
}

async function asPem({ publicKey, privateKey }: CryptoKeyPair): Promise<KeyPair> {
  const [spki, pkcs8] = await Promise.all([
    crypto.subtle.exportKey("spki", publicKey),
    crypto.subtle.exportKey("pkcs8", privateKey),
  ]);
  const pem = formatPem("PUBLIC KEY", encodeBase64(new Uint8Array(spki)));
  const [key] = parsePublicKeys(pem);
  return {
    id: key?.id ?? "",
    publicKey: pem,
    privateKey: formatPem("PRIVATE KEY", encodeBase64(new Uint8Array(pkcs8))),
  };
}

async function asJwk({ privateKey }: CryptoKeyPair, kid: string): Promise<KeyPair> {
  const { kty, crv, x, d } = await crypto.subtle.exportKey("jwk", privateKey);
  const common = { kty, crv, x, kid, alg: "EdDSA", use: "sig" };
  const write = (jwk: unknown): string => `${JSON.stringify(jwk, null, 2)}\n`;
  return { id: kid, publicKey: write(common), privateKey: write({ ...common, d }) };
}
