import { assert, assertEquals } from "@std/assert";
import { plainProperties } from "../plugin/plain_properties.ts";

const linked: unknown[] = Array.from({ length: 100 }, () => []);
for (const each of linked) (each as unknown[]).push(...linked);
const wide = Object.fromEntries(Array.from({ length: 1500 }, (_, at) => [`key${at}`, at]));
const rows = Array.from({ length: 50 }, (_, id) => ({ id, note: "x".repeat(400) }));

const CASES: Readonly<Record<string, Record<string, unknown>>> = {
  "what is small": { list: [1, { deep: [true, null, "x"] }], rate: 0.2 },
  "what is linked to and fro": { linked, after: "it" },
  "what is wide": { wide, list: Object.values(wide), after: "it" },
  "what is wide at the top": wide,
  "what is long": { ["k".repeat(1000)]: 1, long: "y".repeat(1_000_000), rows, after: "it" },
  "what is no JSON": {
    date: new Date(0),
    map: new Map([[1, rows]]),
    error: new Error("z"),
    big: 1n,
  },
  "what throws": {
    get own(): unknown {
      throw new Error("no look");
    },
    proxy: new Proxy({}, {
      ownKeys() {
        throw new Error("no keys");
      },
    }),
    after: "it",
  },
};

for (const [name, properties] of Object.entries(CASES)) {
  Deno.test(`${name} is plain, and bounded, and stays as it is after that`, () => {
    const plain = plainProperties(properties);
    const text = JSON.stringify(plain);
    assert(text.length < 64 * 1024, `${text.length} characters`);
    assertEquals(JSON.parse(text), plain);
    assertEquals(plainProperties(plain), plain);
    if ("after" in properties) assertEquals(plain.after, "it");
  });
}

Deno.test("what is left out of a record is said to be", () => {
  const { list, object, text, deep } = plainProperties({
    list: Array.from({ length: 250 }, (_, at) => at),
    object: wide,
    text: "x".repeat(20_000),
    deep: { a: { b: { c: { d: { e: 1 } } } } },
  }) as { list: unknown[]; object: Record<string, unknown>; text: string; deep: unknown };
  assertEquals([list.length, list[98], list[99]], [100, 98, "… 151 more"]);
  assertEquals([Object.keys(object).length, object.key98, object["…"]], [100, 98, "1401 more"]);
  assert(/x… \(\d+ characters more\)$/.test(text), text.slice(-40));
  assertEquals(deep, { a: { b: { c: { d: "{…}" } } } });
});
