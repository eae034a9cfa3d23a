import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import {
  generateKeyPair,
  type Jwk,
  parsePublicKeys,
  parseSigningKey,
  sha256,
} from "../artifact/mod.ts";
import { assertCode, assertThrowsCode } from "./_errors.ts";
import { testKeys } from "./_signed.ts";

const PEM = await testKeys();
const JWK = await testKeys("release-2024");

/** The keys of RFC 8032, section 7.1, test 1, as RFC 8037, appendix A has them. */
const RFC: Jwk = {
  kty: "OKP",
  crv: "Ed25519",
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
};
const { d: _, ...RFC_PUBLIC } = RFC;
const RFC_PEM = "-----BEGIN PUBLIC KEY-----\n" +
  "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

Deno.test("a pair of keys is PEM, and its id the SHA-256 of the public key's SPKI", async () => {
  const { id, publicKey, privateKey } = await generateKeyPair();
  assertMatch(publicKey, /^-----BEGIN PUBLIC KEY-----\n[\w+/=]+\n-----END PUBLIC KEY-----\n$/);
  assertMatch(privateKey, /^-----BEGIN PRIVATE KEY-----\n[\w+/=]+\n-----END PRIVATE KEY-----\n$/);
  const spki = Uint8Array.from(atob(publicKey.split("\n")[1] ?? ""), (c) => c.charCodeAt(0));
  assertEquals(id, sha256(spki));
  assertEquals(parseSigningKey(privateKey).publicKey, parsePublicKeys(publicKey)[0]);
  assertNotEquals((await generateKeyPair()).id, id);
});

Deno.test("with an id of its own a pair of keys is JWK, and the id its kid", async () => {
  const { publicKey, privateKey } = await generateKeyPair({ id: "ci/1" });
  assertEquals(JSON.parse(publicKey).d, undefined);
  assertEquals(parsePublicKeys(publicKey)[0]?.id, "ci/1");
  assertEquals(parsePublicKeys(JSON.parse(publicKey))[0]?.id, "ci/1");
  assertEquals(parseSigningKey(privateKey).publicKey, parsePublicKeys(publicKey)[0]);
  for (const id of ["", "a b", "ü", "x".repeat(129), "\n"]) {
    await assertCode(generateKeyPair({ id }), "key");
  }
});

/** Where it is: a bare system has none, and macOS another one by that name. */
const ignore = Deno.build.os !== "linux" || !await hasOpenSsl();

async function hasOpenSsl(): Promise<boolean> {
  const version = new Deno.Command("openssl", { args: ["version"] }).output();
  return await version.then(({ success }) => success, () => false);
}

Deno.test("OpenSSL reads the keys, and verifies what they sign", { ignore }, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const message = new TextEncoder().encode("hello");
    await Deno.writeTextFile(`${folder}/pub.pem`, PEM.publicKey);
    await Deno.writeTextFile(`${folder}/key.pem`, PEM.privateKey);
    await Deno.writeFile(`${folder}/sig`, await PEM.signer.sign(message));
    await Deno.writeFile(`${folder}/msg`, message);
    const verify = ["pkeyutl", "-verify", "-pubin", "-inkey", "pub.pem", "-rawin"];
    const { success, stderr } = await new Deno.Command("openssl", {
      args: [...verify, "-in", "msg", "-sigfile", "sig"],
      cwd: folder,
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const derived = await new Deno.Command("openssl", {
      args: ["pkey", "-in", "key.pem", "-pubout"],
      cwd: folder,
    }).output();
    assertEquals(new TextDecoder().decode(derived.stdout), PEM.publicKey);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the test vector of RFC 8032 comes out", async () => {
  const { publicKey, sign } = parseSigningKey(RFC);
  assertEquals(publicKey, parsePublicKeys(RFC_PUBLIC)[0]);
  const signature = await sign(new Uint8Array());
  assertEquals(
    Array.from(signature, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  );
});

Deno.test("several keys come as a list, as blocks of one PEM or as a JWK set", () => {
  const ids = [PEM.id, JWK.id];
  const id = (keys: ReturnType<typeof parsePublicKeys>): string[] => keys.map((key) => key.id);
  assertEquals(id(parsePublicKeys([PEM.publicKey, JWK.publicKey])), ids);
  const other = parsePublicKeys(RFC_PUBLIC)[0]?.id ?? "";
  assertEquals(id(parsePublicKeys(`# ours\n${PEM.publicKey}\n# theirs\n${RFC_PEM}`)), [
    PEM.id,
    other,
  ]);
  const set = JSON.stringify({ keys: [JSON.parse(JWK.publicKey), RFC_PUBLIC] });
  assertEquals(id(parsePublicKeys(set)), [JWK.id, other]);
  assertEquals(id(parsePublicKeys({ id: "mine", key: PEM.publicKey })), ["mine"]);
  assertEquals(id(parsePublicKeys({ id: "mine", key: RFC_PUBLIC })), ["mine"]);
  assertEquals(id(parsePublicKeys(PEM.publicKey.replaceAll("\n", "\r\n"))), [PEM.id]);
  assertEquals(parsePublicKeys([]), []);
  assertEquals(parsePublicKeys(parsePublicKeys([PEM.publicKey, JWK.publicKey])), [
    ...PEM.trusted,
    ...JWK.trusted,
  ]);
});

Deno.test("the same key twice is one, and two keys under one id are refused", () => {
  assertEquals(parsePublicKeys([PEM.publicKey, PEM.publicKey]).length, 1);
  const error = assertThrowsCode(
    () => parsePublicKeys([{ id: "a", key: PEM.publicKey }, { id: "a", key: JWK.publicKey }]),
    "key",
  );
  assert(error.message.includes(`"a"`), error.message);
  assertThrowsCode(() => parsePublicKeys({ id: "a", key: PEM.publicKey + RFC_PEM }), "key");
});

const cut = PEM.publicKey.split("\n");
const MALFORMED: Readonly<Record<string, unknown>> = {
  "nothing": "",
  "white space": " \n ",
  "a word": "key",
  "a number": 7,
  "null": null,
  "no end": cut.slice(0, 2).join("\n"),
  "no begin": cut.slice(1).join("\n"),
  "no body": `${cut[0]}\n${cut[2]}\n`,
  "another end": PEM.publicKey.replace("END PUBLIC", "END PRIVATE"),
  "text around": `hello\n${PEM.publicKey}`,
  "a cut block after a whole one": PEM.publicKey + cut.slice(0, 2).join("\n"),
  "base64 without its padding": PEM.publicKey.replace("=", ""),
  "base64 with bits left over": PEM.publicKey.replace(/.=\n/, (end) => `${nextLetter(end)}=\n`),
  "base64 for URLs": RFC_PEM.replace("S/7", "S_7"),
  "a cut key": PEM.publicKey.replace(/\n.{8}/, "\n"),
  "a longer key": PEM.publicKey.replace(/=\n/, "AAAA=\n"),
  "no JSON": "{",
  "a list": "[]",
  "an empty set": `{"keys":[]}`,
  "a set of texts": `{"keys":["a"]}`,
  "no fields": {},
  "x of 31 bytes": { ...RFC_PUBLIC, x: RFC_PUBLIC.x?.slice(0, -2) },
  "x of 33 bytes": { ...RFC_PUBLIC, x: `${RFC_PUBLIC.x}A` },
  "x with padding": { ...RFC_PUBLIC, x: `${RFC_PUBLIC.x}=` },
  "x as base64 of the other alphabet": { ...RFC_PUBLIC, x: RFC_PUBLIC.x?.replace("_", "/") },
  "x that is no text": { ...RFC_PUBLIC, x: 1 },
  "no x": { kty: "OKP", crv: "Ed25519" },
  "an empty kid": { ...RFC_PUBLIC, kid: "" },
  "a kid that is no text": { ...RFC_PUBLIC, kid: 1 },
  "a kid with a line feed": { ...RFC_PUBLIC, kid: "a\nb" },
  "another use": { ...RFC_PUBLIC, use: "enc" },
  "other operations": { ...RFC_PUBLIC, key_ops: ["sign"] },
  "operations that are no list": { ...RFC_PUBLIC, key_ops: "verify" },
  "an empty id": { id: "", key: RFC_PUBLIC },
  "an id and no key": { id: "a", key: undefined },
  "a private PEM": PEM.privateKey,
  "a private JWK": RFC,
  "a private JWK as text": JWK.privateKey,
  "an encrypted one": PEM.privateKey.replaceAll("PRIVATE", "ENCRYPTED PRIVATE"),
  "a certificate": PEM.publicKey.replaceAll("PUBLIC KEY", "CERTIFICATE"),
};

/** The letter of base64 whose lowest bit differs: the padding hides it. */
function nextLetter(end: string): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return letters[letters.indexOf(end.charAt(0)) ^ 1] ?? "";
}

for (const [what, source] of Object.entries(MALFORMED)) {
  Deno.test(`a public key that is ${what} is refused`, () => {
    const { message } = assertThrowsCode(() => parsePublicKeys(source as string), "key");
    assert(message.length < 300 && !message.includes("\n"), message);
  });
}

const RSA = await crypto.subtle.generateKey(
  {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  },
  true,
  ["sign", "verify"],
);
const EC = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
  "sign",
  "verify",
]);
const X25519 = await crypto.subtle.generateKey("X25519", true, ["deriveBits"]) as CryptoKeyPair;

async function pemOf(label: string, key: CryptoKey): Promise<string> {
  const der = await crypto.subtle.exportKey(label === "PUBLIC KEY" ? "spki" : "pkcs8", key);
  const base64 = btoa(String.fromCharCode(...new Uint8Array(der)));
  return `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;
}

Deno.test("keys of other algorithms are refused, and the message says what is in use", async () => {
  for (const pair of [RSA, EC, X25519]) {
    const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey) as Jwk;
    const secret = await crypto.subtle.exportKey("jwk", pair.privateKey) as Jwk;
    for (
      const refused of [
        () => parsePublicKeys(jwk),
        () => parsePublicKeys(JSON.stringify(jwk)),
        () => parseSigningKey(secret),
      ]
    ) {
      const { message } = assertThrowsCode(refused, "key");
      assert(message.includes("Ed25519"), message);
      assert(!message.includes(secret.d ?? "-"), message);
    }
    const pems = [
      await pemOf("PUBLIC KEY", pair.publicKey),
      await pemOf("PRIVATE KEY", pair.privateKey),
    ];
    assertThrowsCode(() => parsePublicKeys(pems[0] ?? ""), "key");
    assertThrowsCode(() => parseSigningKey(pems[1] ?? ""), "key");
  }
  assertThrowsCode(() => parsePublicKeys({ ...RFC_PUBLIC, alg: "ES256" }), "key");
  assertThrowsCode(() => parsePublicKeys({ ...RFC_PUBLIC, crv: "Ed448" }), "key");
});

Deno.test("what is no private key does not sign, and no message quotes one", () => {
  const wrong: Readonly<Record<string, unknown>> = {
    "a public PEM": PEM.publicKey,
    "a public JWK": RFC_PUBLIC,
    "two keys": PEM.privateKey + PEM.privateKey,
    "a JWK set of two": JSON.stringify({ keys: [RFC, RFC] }),
    "a cut one": PEM.privateKey.replace(/\n.{8}/, "\n"),
    "d of another key": { ...RFC, d: JSON.parse(JWK.privateKey).d },
    "d that is too short": { ...RFC, d: RFC.d?.slice(2) },
    "no x": { ...RFC, x: undefined },
    "encrypted": PEM.privateKey.replaceAll("PRIVATE", "ENCRYPTED PRIVATE"),
    "only to verify": { ...RFC, key_ops: ["verify"] },
    "nothing": "",
  };
  const secrets = [PEM.privateKey.split("\n")[1], RFC.d, JSON.parse(JWK.privateKey).d];
  for (const [what, source] of Object.entries(wrong)) {
    const error = assertThrowsCode(() => parseSigningKey(source as string), "key");
    const shown = Deno.inspect(error);
    for (const secret of secrets) assert(!shown.includes(secret.slice(0, 20)), `${what}: ${shown}`);
  }
});

Deno.test("a signing key does not show what it is", () => {
  const shown = Deno.inspect(JWK.signer, { depth: 9, showHidden: true }) +
    JSON.stringify(JWK.signer);
  assert(!shown.includes(JSON.parse(JWK.privateKey).d), shown);
});
