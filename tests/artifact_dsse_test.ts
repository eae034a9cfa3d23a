import { assert, assertEquals } from "@std/assert";
import { isSignedBy, preAuthEncoding, signPayload } from "../artifact/dsse.ts";
import { parsePublicKeys, parseSigningKey } from "../artifact/mod.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

Deno.test("the example of the specification is encoded as it says", () => {
  const encoded = preAuthEncoding("http://example.com/HelloWorld", encoder.encode("hello world"));
  assertEquals(
    decoder.decode(encoded),
    "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
  );
});

Deno.test("lengths are those of bytes", () => {
  const encoded = preAuthEncoding("ä", encoder.encode("→"));
  assertEquals(decoder.decode(encoded), "DSSEv1 2 ä 3 →");
  assertEquals(decoder.decode(preAuthEncoding("", new Uint8Array())), "DSSEv1 0  0 ");
});

Deno.test("no other split between type and payload encodes the same", () => {
  const seen = new Set<string>();
  const text = "a 1 b 1 1 ";
  for (let at = 0; at <= text.length; at++) {
    seen.add(decoder.decode(preAuthEncoding(text.slice(0, at), encoder.encode(text.slice(at)))));
  }
  assertEquals(seen.size, text.length + 1);
});

// Keys and signatures of https://github.com/secure-systems-lab/dsse, testvectors/vectors.json.
const KEY = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };
const D = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const VECTORS: readonly (readonly [type: string, payload: string, sig: string])[] = [
  [
    "application/vnd.in-toto+json",
    `{"_type":"https://in-toto.io/Statement/v1"}`,
    "2WAfaHm5jluo0w+0rk8uVkluELJYWjSmU9x7EUzx+AyteDGJ4/nqyJXfmAUVFIAoQafWm7AxBZNw5M9ixNHiCA==",
  ],
  [
    "application/vnd.exämple+json",
    `{"_type":"https://in-toto.io/Statement/v1"}`,
    "xmSk/ug66ysT7ayhkCIjhAq42zgZXSsEWuzUaNL7w2eGAdF/NU6/fRXPtmfN+5DNSAs5/i2lUnHjbbjPsu0tAw==",
  ],
  [
    "application/vnd.in-toto+json",
    "",
    "gSggCAaTLTYyRH6FIDBem6meyIynsYy8RTHVzwx9tnTb7Bg/1jMWnuVgI/gffqmbsC2VX5/jHfkkDqsj7CDbDg==",
  ],
];

Deno.test("the published signatures of Ed25519 come out, and are valid for nothing else", async () => {
  const [key] = parsePublicKeys(KEY);
  assert(key);
  const signer = parseSigningKey({ id: "A", key: { ...KEY, d: D } });
  for (const [type, payload, sig] of VECTORS) {
    const bytes = encoder.encode(payload);
    assertEquals(await signPayload(type, bytes, signer), { keyid: "A", sig });
    assert(await isSignedBy(key, type, bytes, { keyid: "A", sig }));
    assert(!await isSignedBy(key, `${type} `, bytes, { keyid: "A", sig }));
    assert(!await isSignedBy(key, type, encoder.encode(`${payload} `), { keyid: "A", sig }));
  }
});

Deno.test("a signature in another writing, of another length, or shifted by the order is none", async () => {
  const [key] = parsePublicKeys(KEY);
  assert(key);
  const [[type, payload, sig] = ["", "", ""]] = VECTORS;
  const bytes = encoder.encode(payload);
  const raw = Uint8Array.from(atob(sig), (letter) => letter.charCodeAt(0));
  const write = (signature: Uint8Array): string => btoa(String.fromCharCode(...signature));
  const wrong = [
    "",
    sig.replace(/=+$/, ""),
    sig.replaceAll("+", "-").replaceAll("/", "_"),
    `${sig}\n`,
    ` ${sig}`,
    sig.replace("A==", "B=="),
    write(raw.subarray(0, 63)),
    write(Uint8Array.of(...raw, 0)),
    write(new Uint8Array(64)),
    write(shiftedByOrder(raw)),
  ];
  for (const each of wrong) {
    assertEquals(await isSignedBy(key, type, bytes, { keyid: "", sig: each }), false, each);
  }
});

/** The same signature with the group's order added to its second half: the classic second writing. */
function shiftedByOrder(signature: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  let scalar = order;
  for (let at = 63, sum = 0n; at >= 32; at--) {
    sum = sum * 256n + BigInt(signature[at] ?? 0);
    if (at === 32) scalar += sum;
  }
  const shifted = Uint8Array.from(signature);
  for (let at = 32; at < 64; at++, scalar >>= 8n) shifted[at] = Number(scalar & 255n);
  return shifted;
}
