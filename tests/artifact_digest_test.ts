import { assertEquals } from "@std/assert";
import { isSha256, sha256, sha256Stream } from "../artifact/mod.ts";

const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

Deno.test("a digest is the SHA-256 of the bytes, in lower-case hex", () => {
  assertEquals(sha256(new Uint8Array([97, 98, 99])), ABC);
  assertEquals(sha256("abc"), ABC);
  assertEquals(sha256(new Uint8Array([0, 97, 98, 99, 0]).subarray(1, 4)), ABC);
  assertEquals(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

Deno.test("a stream has the digest and the size of all its chunks", async () => {
  const chunks = ReadableStream.from([new Uint8Array([97]), new Uint8Array(), "bc"]
    .map((each) => typeof each === "string" ? new TextEncoder().encode(each) : each));
  assertEquals(await sha256Stream(chunks), { size: 3, sha256: ABC });
});

Deno.test("only 64 lower-case hex digits are a digest", () => {
  assertEquals(isSha256(ABC), true);
  for (const value of [ABC.toUpperCase(), ABC.slice(1), `${ABC}0`, `${ABC}\n`, "", 1, null]) {
    assertEquals(isSha256(value), false);
  }
});
