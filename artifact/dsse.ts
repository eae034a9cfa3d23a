import { decodeBase64, encodeBase64 } from "./_base64.ts";
import type { AttestationSignature } from "./info_file.ts";
import type { PublicKey } from "./public_key.ts";
import type { SigningKey } from "./signing_key.ts";

/**
 * What DSSE signs: type and payload, each with its length, so that neither can pass for the other.
 *
 * https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
 */
export function preAuthEncoding(
  payloadType: string,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const type = encoder.encode(payloadType);
  const head = encoder.encode(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `);
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head);
  bytes.set(payload, head.length);
  return bytes;
}

/** Signs a payload; answers with an entry of an envelope's `signatures`. */
export async function signPayload(
  payloadType: string,
  payload: Uint8Array,
  { publicKey, sign }: SigningKey,
): Promise<AttestationSignature> {
  const signature = await sign(preAuthEncoding(payloadType, payload));
  return { keyid: publicKey.id, sig: encodeBase64(signature) };
}

/** Tells whether the signature is one of that key over that payload. */
export async function isSignedBy(
  { key }: PublicKey,
  payloadType: string,
  payload: Uint8Array,
  { sig }: AttestationSignature,
): Promise<boolean> {
  const signature = decodeBase64(sig);
  if (signature?.length !== 64) return false;
  const imported = await crypto.subtle.importKey("jwk", key, "Ed25519", false, ["verify"]);
  const message = preAuthEncoding(payloadType, payload);
  return await crypto.subtle.verify("Ed25519", imported, signature, message);
}
