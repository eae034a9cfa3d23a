import { decodeBase64 } from "./_base64.ts";
import { quote } from "./_quote.ts";
import { isSignedBy } from "./dsse.ts";
import { HotplugError } from "./errors.ts";
import { type ParsedInfo, parseInfo } from "./info.ts";
import type { Attestation } from "./info_file.ts";
import type { KeySource } from "./key.ts";
import { parsePublicKeys, type PublicKey } from "./public_key.ts";
import { formatStatement, STATEMENT_PAYLOAD_TYPE } from "./statement.ts";

/** An info file that is signed by a trusted key. */
export interface VerifiedInfo extends ParsedInfo {
  /** The ids of the trusted keys that signed it, sorted; at least one. */
  readonly signedBy: readonly string[];
}

const SHOWN_IDS = 3;

/**
 * Reads an info file and checks that a trusted key signed what it says; what it answers with comes
 * from what was signed, and from nothing else.
 *
 * The file must be, byte for byte, the canonical writing of what it says. Signatures of keys that are
 * not trusted say nothing (a key that is being introduced, or was retired); one of a trusted key that
 * is not valid is a forgery, whatever others say.
 *
 * It is said of the info file: whether the artifact is the one that it describes is for who reads the
 * artifact.
 *
 * @param text The file's text, or its bytes as UTF-8; at most 1 MiB
 * @param trust The public keys that are trusted; see {@linkcode parsePublicKeys}
 * @param file The file's name, for what errors say of its fields
 * @throws {HotplugError} code `info`: it can't be read as an info file; `signature`: it is not signed
 * by a trusted key, or is not what was signed; `key`: one of the keys is none
 */
export async function verifyInfo(
  text: string | Uint8Array,
  trust: KeySource | readonly KeySource[],
  file?: string,
): Promise<VerifiedInfo> {
  const keys = parsePublicKeys(trust);
  const { attestation } = parseInfo(text, file).info;
  if (attestation === undefined) throw fault("it is not signed; build it with a key (--sign)");
  const verified = await verifyAttestation(attestation, keys, file);
  if (!sameBytes(`${JSON.stringify(verified.raw, null, 2)}\n`, text)) {
    throw fault("it is not, byte for byte, what was signed; publish it again as it was built");
  }
  return verified;
}

/**
 * Checks an attestation by itself, as {@linkcode verifyInfo} does; answers with what was signed.
 *
 * @throws {HotplugError} code `info` or `signature`.
 */
export async function verifyAttestation(
  attestation: Attestation,
  keys: readonly PublicKey[],
  file?: string,
): Promise<VerifiedInfo> {
  const payload = payloadOf(attestation);
  const signedBy = await verifySignatures(attestation, payload, keys);
  const predicate = readPredicate(payload);
  const parsed = parseInfo(JSON.stringify(predicate), file);
  const { info } = parsed;
  if (!sameBytes(formatStatement(info.artifact, predicate), payload)) {
    throw fault("what was signed is not a statement about its artifact");
  }
  if (JSON.stringify(pick(predicate, info)) !== JSON.stringify(info)) {
    throw fault("what was signed is not in canonical form; build it again");
  }
  const raw = { ...predicate, attestation: canonical(attestation) };
  return { info: { ...info, attestation }, raw, signedBy };
}

function payloadOf({ payloadType, payload }: Attestation): Uint8Array<ArrayBuffer> {
  if (payloadType !== STATEMENT_PAYLOAD_TYPE) {
    throw fault(`its payload is ${quote(payloadType)}, not ${quote(STATEMENT_PAYLOAD_TYPE)}`);
  }
  const bytes = decodeBase64(payload);
  if (bytes === undefined) throw fault("its payload is not canonical base64");
  return bytes;
}

/** Answers with the ids of the trusted keys that signed; all that say so must have. */
async function verifySignatures(
  { payloadType, signatures }: Attestation,
  payload: Uint8Array<ArrayBuffer>,
  keys: readonly PublicKey[],
): Promise<string[]> {
  const ids = signatures.map(({ keyid }) => keyid);
  if (ids.some((id, index) => index > 0 && id <= (ids[index - 1] ?? ""))) {
    throw fault("its signatures are not in the order of their keys' ids, each once");
  }
  if (signatures.some(({ sig }) => decodeBase64(sig) === undefined)) {
    throw fault("its signatures are not canonical base64");
  }
  const signedBy: string[] = [];
  for (const signature of signatures) {
    const key = keys.find(({ id }) => id === signature.keyid);
    if (key === undefined) continue;
    if (!await isSignedBy(key, payloadType, payload, signature)) {
      throw fault(`the signature of ${quote(key.id)} is not valid for what it says`);
    }
    signedBy.push(key.id);
  }
  if (signedBy.length > 0) return signedBy;
  const trusted = list(keys.map(({ id }) => id));
  throw fault(`no trusted key signed it: it is signed by ${list(ids)}, trusted is ${trusted}`);
}

function readPredicate(payload: Uint8Array<ArrayBuffer>): Record<string, unknown> {
  let statement: unknown;
  try {
    statement = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch (cause) {
    throw fault("what was signed is no JSON", { cause });
  }
  const predicate = isRecord(statement) ? statement.predicate : undefined;
  if (!isRecord(predicate) || "attestation" in predicate) {
    throw fault("what was signed is not a statement about an info file");
  }
  return predicate;
}

/** What the model knows of a value, in the order that the value has. */
function pick(value: unknown, model: unknown): unknown {
  if (!isRecord(value) || !isRecord(model)) return value;
  const known = Object.entries(value).filter(([key]) => Object.hasOwn(model, key));
  return Object.fromEntries(known.map(([key, each]) => [key, pick(each, model[key])]));
}

/** Without what an envelope has no place for: nobody signs it. */
function canonical({ payloadType, payload, signatures }: Attestation): Attestation {
  return {
    payloadType,
    payload,
    signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig })),
  };
}

function sameBytes(expected: string, actual: string | Uint8Array): boolean {
  if (typeof actual === "string") return expected === actual;
  const bytes = new TextEncoder().encode(expected);
  return bytes.length === actual.length && bytes.every((byte, index) => byte === actual[index]);
}

function list(ids: readonly string[]): string {
  const shown = ids.slice(0, SHOWN_IDS).map(quote);
  if (ids.length > SHOWN_IDS) shown.push(`${ids.length - SHOWN_IDS} more`);
  return shown.join(", ") || "none";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fault(why: string, options?: ErrorOptions): HotplugError {
  return new HotplugError("signature", `Cannot trust the info file: ${why}`, options);
}
