import { assert, assertEquals } from "@std/assert";
import {
  type Attestation,
  formatInfo,
  HotplugError,
  type InfoFile,
  parsePublicKeys,
  sha256,
  signInfo,
  verifyInfo,
} from "../artifact/mod.ts";
import { signPayload } from "../artifact/dsse.ts";
import { assertCode } from "./_errors.ts";
import { FULL_INFO, testKeys } from "./_signed.ts";
import { makeRandom } from "./random.ts";

const KEYS = await testKeys();
const OTHER = await testKeys("other");
const SIGNED = await signInfo(FULL_INFO, KEYS.privateKey);
const TEXT = formatInfo(SIGNED);
const ATTESTATION = SIGNED.attestation as Attestation;
const TYPE = "application/vnd.in-toto+json";

type Json = Record<string, unknown>;

function statementOf({ payload }: Attestation): Json {
  return JSON.parse(new TextDecoder().decode(decode(payload)));
}

function decode(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function encode(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** An info file with that payload, signed by the trusted key as it is. */
async function signedAs(payload: string, rest: object, type = TYPE): Promise<string> {
  const bytes = new TextEncoder().encode(payload);
  const signature = await signPayload(type, bytes, KEYS.signer);
  const attestation = { payloadType: type, payload: encode(bytes), signatures: [signature] };
  return writeInfo({ ...rest, attestation });
}

function writeInfo(info: object): string {
  return `${JSON.stringify(info, null, 2)}\n`;
}

/** The signed info file with its envelope changed. */
function withEnvelope(change: (envelope: Attestation) => object): string {
  return writeInfo({ ...SIGNED, attestation: change(structuredClone(ATTESTATION)) });
}

async function refused(text: string | Uint8Array, keys = KEYS.trusted): Promise<string> {
  return (await assertCode(verifyInfo(text, keys), "signature")).message;
}

Deno.test("what is signed is verified, and says what it said", async () => {
  const writings = [TEXT, new TextEncoder().encode(TEXT)] as const;
  for (
    const [text, trust] of [[writings[0], KEYS.publicKey], [writings[1], KEYS.trusted]] as const
  ) {
    const { info, raw, signedBy } = await verifyInfo(text, trust);
    assertEquals(info, SIGNED);
    assertEquals(raw, JSON.parse(TEXT));
    assertEquals(signedBy, [KEYS.id]);
  }
  const { attestation: _, ...rest } = SIGNED;
  assertEquals(rest, FULL_INFO);
});

Deno.test("the attestation is an in-toto statement about the artifact in a DSSE envelope", () => {
  assertEquals(Object.keys(ATTESTATION), ["payloadType", "payload", "signatures"]);
  assertEquals(ATTESTATION.payloadType, "application/vnd.in-toto+json");
  assertEquals(statementOf(ATTESTATION), {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{
      name: FULL_INFO.artifact.file,
      digest: { sha256: FULL_INFO.artifact.sha256 },
    }],
    predicateType: "https://jsr.io/@hotplug/hotplug/info/v1",
    predicate: FULL_INFO as unknown as Json,
  });
});

Deno.test("signing the same with the same key gives the same bytes", async () => {
  const messy = { ...FULL_INFO, exports: [...FULL_INFO.exports].reverse() };
  assertEquals(formatInfo(await signInfo(messy, KEYS.signer)), TEXT);
  assertEquals(formatInfo(await signInfo(SIGNED, KEYS.privateKey)), TEXT);
});

Deno.test("not one byte of a signed info file can be another", async () => {
  const bytes = new TextEncoder().encode(TEXT);
  const random = makeRandom();
  assert(bytes.length > 500);
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Uint8Array.from(bytes);
    const bit = 1 << random.below(8);
    flipped[at] = (bytes[at] ?? 0) ^ bit;
    await assertRefused(flipped, `byte ${at}, bit ${bit} of seed ${random.seed}`);
  }
});

Deno.test("no byte of a signed info file can be missing, doubled or added", async () => {
  const bytes = [...new TextEncoder().encode(TEXT)];
  const random = makeRandom();
  for (let count = 0; count < 500; count++) {
    const at = random.below(bytes.length);
    const edits = [bytes.toSpliced(at, 1), bytes.toSpliced(at, 0, random.below(256))];
    for (const edited of edits) {
      if (edited.join() === bytes.join()) continue;
      await assertRefused(Uint8Array.from(edited), `byte ${at} of seed ${random.seed}`);
    }
  }
  await assertRefused(Uint8Array.of(0xef, 0xbb, 0xbf, ...bytes), "a byte order mark");
});

async function assertRefused(bytes: Uint8Array, what: string): Promise<void> {
  try {
    await verifyInfo(bytes, KEYS.trusted);
  } catch (error) {
    const code = error instanceof HotplugError ? error.code : error;
    assert(code === "signature" || code === "info", `${what}: ${error}`);
    return;
  }
  throw new Error(`accepted with a change: ${what}`);
}

Deno.test("the same said in another writing is refused", async () => {
  const { name, ...rest } = SIGNED;
  const writings: Readonly<Record<string, string>> = {
    "without its line feed": TEXT.trimEnd(),
    "with one more": `${TEXT}\n`,
    "with CR LF": TEXT.replaceAll("\n", "\r\n"),
    "without spaces": JSON.stringify(SIGNED),
    "with tabs": `${JSON.stringify(SIGNED, null, "\t")}\n`,
    "in another order": writeInfo({ ...rest, name }),
    "with an escape": TEXT.replace("pricing", "\\u0070ricing"),
    "with an escaped umlaut": TEXT.replace("Ü", "\\u00dc"),
    "with an exponent": TEXT.replace('"format": 1,', '"format": 1e0,'),
    "with a field twice": TEXT.replace('"format": 1,', '"format": 1,\n  "format": 1,'),
    "with a field before it": TEXT.replace('"format": 1,', '"format": 2,\n  "format": 1,'),
    "with __proto__": TEXT.replace('"format": 1,', '"format": 1,\n  "__proto__": {},'),
  };
  for (const [what, text] of Object.entries(writings)) await assertRefusedText(text, what);
});

async function assertRefusedText(text: string, what: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  await assertRefused(bytes, what);
}

const UNSIGNED_CHANGES: Readonly<Record<string, (info: InfoFile) => InfoFile>> = {
  "a symbol more": (info) => ({ ...info, exports: ["evil", ...info.exports].sort() }),
  "another digest": (info) => ({
    ...info,
    artifact: { ...info.artifact, sha256: sha256("evil") },
  }),
  "another size": (info) => ({ ...info, artifact: { ...info.artifact, size: 1 } }),
  "no permissions": ({ permissions: _, ...info }) => info,
  "all permissions": (info) => ({ ...info, permissions: { run: true } }),
  "another contract": (info) => ({ ...info, requires: { contract: "pricing/1" } }),
  "another source map": (info) => ({
    ...info,
    sourceMap: { file: info.sourceMap?.file ?? "", sha256: sha256("evil") },
  }),
  "another time": (info) => ({ ...info, builtAt: "2024-01-01T00:00:00.001Z" }),
};

for (const [what, change] of Object.entries(UNSIGNED_CHANGES)) {
  Deno.test(`an info file with ${what} than was signed is refused`, async () => {
    const message = await refused(formatInfo(change(SIGNED)));
    assert(message.includes("byte for byte"), message);
  });
}

Deno.test("what is not signed is refused, and the message says how to sign", async () => {
  assert((await refused(formatInfo(FULL_INFO))).includes("--sign"));
});

Deno.test("a key that is not trusted is refused, whatever id it takes", async () => {
  const foreign = formatInfo(await signInfo(FULL_INFO, OTHER.privateKey));
  const message = await refused(foreign);
  assert(message.includes(`"other"`) && message.includes(KEYS.id), message);
  const posing = await signInfo(FULL_INFO, { id: KEYS.id, key: OTHER.privateKey });
  assert((await refused(formatInfo(posing))).includes("not valid"));
  await refused(TEXT, []);
});

Deno.test("keyid must name a trusted key: the right key under another id is refused", async () => {
  const unnamed = await signInfo(FULL_INFO, { id: "unknown", key: KEYS.privateKey });
  await refused(formatInfo(unnamed));
  await refused(withEnvelope(({ signatures: [first], ...rest }) => ({
    ...rest,
    signatures: [{ ...first, keyid: "" }],
  })));
  const renamed = parsePublicKeys({ id: "renamed", key: KEYS.publicKey });
  await refused(TEXT, renamed);
});

Deno.test("rotation: two keys are valid, one is retired, and what it signed with it", async () => {
  const [older, newer, next] = await Promise.all([testKeys("2023"), testKeys("2024"), testKeys()]);
  const byOlder = formatInfo(await signInfo(FULL_INFO, older.privateKey));
  const byNewer = formatInfo(await signInfo(FULL_INFO, newer.privateKey));
  const both = parsePublicKeys([older.publicKey, newer.publicKey]);
  assertEquals((await verifyInfo(byOlder, both)).signedBy, ["2023"]);
  assertEquals((await verifyInfo(byNewer, both)).signedBy, ["2024"]);
  const retired = parsePublicKeys([newer.publicKey, next.publicKey]);
  await refused(byOlder, retired);
  assertEquals((await verifyInfo(byNewer, retired)).signedBy, ["2024"]);
});

Deno.test("two signatures: each host needs one key, and a forged one spoils the other", async () => {
  const twice = await signInfo(SIGNED, OTHER.privateKey);
  const text = formatInfo(twice);
  const all = [...KEYS.trusted, ...OTHER.trusted];
  const ids = [KEYS.id, OTHER.id].sort();
  assertEquals(twice.attestation?.signatures.map(({ keyid }) => keyid), ids);
  assertEquals((await verifyInfo(text, all)).signedBy, ids);
  assertEquals((await verifyInfo(text, KEYS.trusted)).signedBy, [KEYS.id]);
  assertEquals((await verifyInfo(text, OTHER.trusted)).signedBy, [OTHER.id]);
  assertEquals(
    formatInfo(await signInfo(await signInfo(FULL_INFO, OTHER.signer), KEYS.signer)),
    text,
  );
  const { payload, signatures: [first, second] = [] } = twice.attestation as Attestation;
  const swapped = [{ ...first, sig: second?.sig }, { ...second, sig: first?.sig }];
  await refused(
    writeInfo({ ...twice, attestation: { payloadType: TYPE, payload, signatures: swapped } }),
    all,
  );
  const forged = twice.attestation?.signatures.map((each) =>
    each.keyid === OTHER.id ? { ...each, sig: encode(new Uint8Array(64)) } : each
  );
  const attestation = { payloadType: TYPE, payload, signatures: forged };
  assert((await refused(writeInfo({ ...twice, attestation }), all)).includes("not valid"));
  const reversed = [...twice.attestation?.signatures ?? []].reverse();
  await refused(
    writeInfo({ ...twice, attestation: { payloadType: TYPE, payload, signatures: reversed } }),
    all,
  );
});

Deno.test("a key that signed twice is refused", async () => {
  await refused(withEnvelope((envelope) => ({
    ...envelope,
    signatures: [...envelope.signatures, ...envelope.signatures],
  })));
});

const ENVELOPES: Readonly<Record<string, (envelope: Attestation) => object>> = {
  "a field more": (envelope) => ({ ...envelope, note: "x" }),
  "a field more in a signature": ({ signatures: [first], ...rest }) => ({
    ...rest,
    signatures: [{ ...first, cert: "x" }],
  }),
  "its fields in another order": ({ payload, ...rest }) => ({ ...rest, payload }),
  "another payload type": (envelope) => ({ ...envelope, payloadType: "application/json" }),
  "a payload type in capitals": (envelope) => ({ ...envelope, payloadType: TYPE.toUpperCase() }),
  "no signatures": (envelope) => ({ ...envelope, signatures: [] }),
  "a payload without padding": (envelope) => ({
    ...envelope,
    payload: envelope.payload.replace(/=+$/, ""),
  }),
  "a payload in lines": (envelope) => ({
    ...envelope,
    payload: envelope.payload.replace(/.{64}/g, "$&\n"),
  }),
  "a payload that is no base64": (envelope) => ({ ...envelope, payload: `${envelope.payload}!` }),
  "a cut payload": (envelope) => ({ ...envelope, payload: envelope.payload.slice(4) }),
  "a signature for URLs": ({ signatures: [first], ...rest }) => ({
    ...rest,
    signatures: [{ ...first, sig: first?.sig.replace(/[+/]|$/, "_") }],
  }),
  "an empty key": ({ signatures, ...rest }) => ({
    ...rest,
    signatures: [{ keyid: "", sig: signatures[0]?.sig }],
  }),
  "a stranger's signature that is no base64": (envelope) => ({
    ...envelope,
    signatures: [...envelope.signatures, { keyid: "~", sig: "x" }],
  }),
};

for (const [what, change] of Object.entries(ENVELOPES)) {
  Deno.test(`an envelope with ${what} is refused`, async () => {
    const changed = withEnvelope(change);
    assert(changed !== TEXT);
    await refused(changed);
  });
}

const STATEMENTS: Readonly<Record<string, (statement: Json) => unknown>> = {
  "about another file": (statement) => ({
    ...statement,
    subject: [{ name: "other", digest: { sha256: FULL_INFO.artifact.sha256 } }],
  }),
  "about another digest": (statement) => ({
    ...statement,
    subject: [{ name: FULL_INFO.artifact.file, digest: { sha256: sha256("other") } }],
  }),
  "about a digest in capitals": (statement) => ({
    ...statement,
    subject: [{
      name: FULL_INFO.artifact.file,
      digest: { sha256: FULL_INFO.artifact.sha256.toUpperCase() },
    }],
  }),
  "about two files": (statement) => ({
    ...statement,
    subject: [...statement.subject as unknown[], { name: "x", digest: { sha256: sha256("x") } }],
  }),
  "about nothing": (statement) => ({ ...statement, subject: [] }),
  "with another digest beside it": (
    { subject, ...rest },
  ) => ({
    ...rest,
    subject: [{
      ...(subject as Json[])[0],
      digest: { sha256: FULL_INFO.artifact.sha256, md5: "x" },
    }],
  }),
  "of another version of in-toto": (statement) => ({
    ...statement,
    _type: "https://in-toto.io/Statement/v0.1",
  }),
  "with another predicate": (statement) => ({
    ...statement,
    predicateType: "https://slsa.dev/provenance/v1",
  }),
  "with a field more": (statement) => ({ ...statement, note: "x" }),
  "with its fields in another order": ({ _type, ...rest }) => ({ ...rest, _type }),
  "without a predicate": ({ predicate: _, ...rest }) => rest,
  "with a list as its predicate": (statement) => ({ ...statement, predicate: [] }),
  "that holds an attestation": (statement) => ({
    ...statement,
    predicate: { ...statement.predicate as object, attestation: ATTESTATION },
  }),
  "that is a list": (statement) => [statement],
  "that is null": () => null,
};

for (const [what, change] of Object.entries(STATEMENTS)) {
  Deno.test(`a statement ${what} is refused though its signature is valid`, async () => {
    const statement = change(statementOf(ATTESTATION));
    await refused(await signedAs(JSON.stringify(statement), FULL_INFO));
  });
}

Deno.test("a signed payload that is no canonical JSON is refused", async () => {
  const statement = statementOf(ATTESTATION);
  await refused(await signedAs(JSON.stringify(statement, null, 1), FULL_INFO));
  await refused(await signedAs(`${JSON.stringify(statement)}\n`, FULL_INFO));
  await refused(await signedAs("{", FULL_INFO));
  await refused(await signedAs("\uFEFF{}", FULL_INFO));
  const twice = JSON.stringify(statement).replace('"format":1', '"format":1,"format":1');
  await refused(await signedAs(twice, FULL_INFO));
  const { name, ...rest } = FULL_INFO;
  const reordered = { ...rest, name };
  await refused(await signedAs(JSON.stringify({ ...statement, predicate: reordered }), reordered));
});

Deno.test("a statement that was signed as something else is refused", async () => {
  const payload = JSON.stringify(statementOf(ATTESTATION));
  for (const type of ["application/json", `${TYPE} `, "application/vnd.in-toto+JSON"]) {
    const message = await refused(await signedAs(payload, FULL_INFO, type));
    assert(message.includes(JSON.stringify(type)), message);
  }
  assertEquals(await signedAs(payload, FULL_INFO), TEXT);
});

Deno.test("fields of a later hotplug are taken if they are signed, and only then", async () => {
  const statement = statementOf(ATTESTATION);
  const later = { ...FULL_INFO, later: { deep: [1] }, runtime: { ...FULL_INFO.runtime, v8: "14" } };
  const text = await signedAs(JSON.stringify({ ...statement, predicate: later }), later);
  const { info, raw } = await verifyInfo(text, KEYS.trusted);
  assertEquals(info.runtime, FULL_INFO.runtime);
  assertEquals(raw["later"], { deep: [1] });
  assertEquals(raw["runtime"], later.runtime);
  const { attestation } = JSON.parse(text);
  await refused(writeInfo({ ...FULL_INFO, attestation }));
  await refused(writeInfo({ ...later, attestation: ATTESTATION }));
});

Deno.test("what a signature says of another info file says nothing of this one", async () => {
  const other = await signInfo({ ...FULL_INFO, exports: [] }, KEYS.privateKey);
  await refused(writeInfo({ ...FULL_INFO, attestation: other.attestation }));
});

Deno.test("an info file that can't be read is refused before its signature", async () => {
  for (const text of ["", "{", "null", TEXT.slice(0, -9), "x".repeat(2 ** 21)]) {
    await assertCode(verifyInfo(text, KEYS.trusted), "info");
  }
});

Deno.test("signing takes a valid info file and a private key only", async () => {
  await assertCode(signInfo(FULL_INFO, KEYS.publicKey), "key");
  await assertCode(signInfo({ ...FULL_INFO, name: "other" }, KEYS.privateKey), "info");
});
