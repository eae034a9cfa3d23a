import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  compareScn,
  HotplugError,
  isFutureScn,
  isScn,
  nextScn,
  parseScn,
  scnFromDate,
  scnToDate,
  tryParseScn,
} from "../artifact/mod.ts";
import { forAll } from "./random.ts";

const FIRST = Date.UTC(1000, 0, 1);
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59);
const SECONDS = (LAST - FIRST) / 1000;

Deno.test("an SCN and its date are the same moment, in every year", () => {
  forAll(5_000, (random) => FIRST + random.below(SECONDS + 1) * 1000, (time) => {
    const scn = scnFromDate(new Date(time));
    assert(isScn(scn));
    assertEquals(String(scn).length, 14);
    assertEquals(scnToDate(scn).getTime(), time);
    assertEquals(parseScn(String(scn)), scn);
  });
});

Deno.test("SCNs are ordered as their moments are", () => {
  forAll(
    2_000,
    (random) => [random.below(SECONDS), random.below(SECONDS)] as const,
    ([a, b]) => {
      const [left, right] = [a, b].map((each) => scnFromDate(new Date(FIRST + each * 1000)));
      assertEquals(compareScn(left ?? 0, right ?? 0), Math.sign(a - b));
    },
  );
});

Deno.test("the next SCN is one calendar second later", () => {
  const steps: [number, number][] = [
    [20261123014512, 20261123014513],
    [20261123014559, 20261123014600],
    [20261123015959, 20261123020000],
    [20261123235959, 20261124000000],
    [20261231235959, 20270101000000],
    [20240228235959, 20240229000000],
    [20260228235959, 20260301000000],
    [20000228235959, 20000229000000],
    [19000228235959, 19000301000000],
  ];
  for (const [scn, next] of steps) assertEquals(nextScn(scn), next);
  assertThrows(() => nextScn(99991231235959), HotplugError, "years 1000 and 9999");
});

Deno.test("parts of a second are cut off, not rounded", () => {
  assertEquals(scnFromDate(new Date("2026-11-23T01:45:12.999Z")), 20261123014512);
});

Deno.test("what is not a second of the calendar is no SCN", () => {
  const wrong = [
    "",
    "2026112301451",
    "202611230145120",
    "20261123014512202611",
    " 20261123014512",
    "20261123014512\n",
    "+2026112301451",
    "2026112301451.",
    "2.026112301e13",
    "0x261123014512",
    "٢٠٢٦١١٢٣٠١٤٥١٢",
    "00000000000000",
    "09991231235959",
    "20261323014512",
    "20260023014512",
    "20261100014512",
    "20261131014512",
    "20260229014512",
    "21000229000000",
    "20261123240000",
    "20261123016000",
    "20261123014560",
    "9".repeat(10_000),
    "2026112301451\0",
  ];
  for (const text of wrong) {
    const error = assertThrows(() => parseScn(text), HotplugError);
    assertEquals([text, error.code], [text, "scn"]);
    assertEquals(tryParseScn(text), undefined);
    assert(error.message.length < 300, error.message);
    assert(/^[\x20-\x7e]*$/.test(error.message), error.message);
  }
  for (const value of [NaN, Infinity, -20261123014512, 20261123014512.5, 0, "20261123014512", 1n]) {
    assertEquals(isScn(value), false);
  }
});

Deno.test("a date that is none, or out of range, has no SCN", () => {
  for (const date of [new Date(NaN), new Date(FIRST - 1), new Date(LAST + 1000)]) {
    assertEquals(assertThrows(() => scnFromDate(date), HotplugError).code, "scn");
  }
});

Deno.test("an SCN is of the future once it is further ahead than the tolerance", () => {
  const now = new Date("2026-11-23T01:45:12.000Z");
  assertEquals(isFutureScn(20261123014512, now), false);
  assertEquals(isFutureScn(20261123015512, now), false);
  assertEquals(isFutureScn(20261123015513, now), true);
  assertEquals(isFutureScn(20261123014513, now, 0), true);
});
