import { encodeBase64 } from "./_base64.ts";
import { signPayload } from "./dsse.ts";
import { formatInfo, parseInfo } from "./info.ts";
import type { InfoFile } from "./info_file.ts";
import type { KeySource } from "./key.ts";
import { parseSigningKey, type SigningKey } from "./signing_key.ts";
import { formatStatement, STATEMENT_PAYLOAD_TYPE } from "./statement.ts";

/**
 * Signs what an info file says, and with it the artifact that it describes: answers with the info
 * file, now with its attestation.
 *
 * One that is signed already gets one more signature; an attestation over something else is replaced.
 *
 * @example
 * ```ts
 * import {
 *   formatInfo,
 *   generateKeyPair,
 *   type InfoFile,
 *   sha256,
 *   signInfo,
 *   verifyInfo,
 * } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * const content = { size: 25, sha256: sha256("export const quote = 42;\n") };
 * const info: InfoFile = {
 *   format: 1,
 *   name: "pricing",
 *   scn: 20261123014512,
 *   mode: "module",
 *   runtime: { version: "2.9.5", os: "any", arch: "any" },
 *   artifact: {
 *     file: "pricing_20261123014512_2_9_5_any_any.mjs",
 *     ...content,
 *     compression: "none",
 *   },
 *   content,
 *   exports: ["quote"],
 *   hooks: [],
 *   imports: [],
 *   optional: [],
 *   source: { sha256: sha256("export const quote: number = 42;\n") },
 *   builtAt: "2026-11-23T01:45:12.402Z",
 *   builtWith: "hotplug/0.1.0 deno/2.9.5",
 * };
 * const { id, publicKey, privateKey } = await generateKeyPair();
 * const text = formatInfo(await signInfo(info, privateKey));
 *
 * const verified = await verifyInfo(text, publicKey);
 * assertEquals(verified.signedBy, [id]);
 * assertEquals(verified.info.exports, ["quote"]);
 * ```
 *
 * @param key A private key, or one that was read with {@linkcode parseSigningKey}
 * @throws {HotplugError} code `key`: not a private key of Ed25519; `info`: a field is not valid
 */
export async function signInfo(
  info: InfoFile,
  key: KeySource | SigningKey,
): Promise<InfoFile> {
  const signer = isSigningKey(key) ? key : parseSigningKey(key);
  // Written and read again: what is signed is the canonical form, whatever was given.
  const { attestation, ...rest } = parseInfo(formatInfo(info)).info;
  const payload = new TextEncoder().encode(formatStatement(rest.artifact, rest));
  const envelope = { payloadType: STATEMENT_PAYLOAD_TYPE, payload: encodeBase64(payload) };
  const added = await signPayload(envelope.payloadType, payload, signer);
  const same = attestation?.payloadType === envelope.payloadType &&
    attestation.payload === envelope.payload;
  const others = (same ? attestation.signatures : []).filter(({ keyid }) => keyid !== added.keyid);
  const signatures = [...others, added].sort((a, b) => a.keyid < b.keyid ? -1 : 1);
  return { ...rest, attestation: { ...envelope, signatures } };
}

function isSigningKey(key: KeySource | SigningKey): key is SigningKey {
  return typeof key === "object" && key !== null && "sign" in key;
}
