import { assertEquals, assertThrows } from "@std/assert";
import {
  compareVersions,
  formatVersion,
  HotplugError,
  parseVersion,
  tryParseVersion,
} from "../artifact/mod.ts";

Deno.test("a version is the same after reading and writing it; build metadata is dropped", () => {
  const pairs = [
    ["0.0.0", "0.0.0"],
    ["2.9.5", "2.9.5"],
    ["2.10.0-rc.1", "2.10.0-rc.1"],
    ["2.10.0-rc.1+5e1a.7", "2.10.0-rc.1"],
    ["2.9.5+canary-1", "2.9.5"],
    ["1.0.0--", "1.0.0--"],
    ["1.0.0-0a.x-y.0", "1.0.0-0a.x-y.0"],
    ["999999999.0.1", "999999999.0.1"],
  ] as const;
  for (const [text, written] of pairs) assertEquals(formatVersion(parseVersion(text)), written);
});

Deno.test("versions are ordered as semver says", () => {
  const ordered = [
    "1.0.0-1",
    "1.0.0-2",
    "1.0.0-10",
    "1.0.0-99999999999999999998",
    "1.0.0-99999999999999999999",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.9.0",
    "1.10.0",
    "2.0.0",
  ].map(parseVersion);
  ordered.forEach((left, a) =>
    ordered.forEach((right, b) => assertEquals(compareVersions(left, right), Math.sign(a - b)))
  );
});

Deno.test("what is no version is refused", () => {
  const wrong = [
    "",
    "2",
    "2.9",
    "2.9.5.1",
    "v2.9.5",
    " 2.9.5",
    "02.9.5",
    "2.09.5",
    "2.9.05",
    "-1.0.0",
    "2.9.x",
    "2.9.5-",
    "2.9.5-rc..1",
    "2.9.5-rc.01",
    "2.9.5-rc_1",
    "2.9.5+",
    "2.9.5\n",
    "1000000000.0.0",
    "²․9․5",
    `2.9.5-${"a".repeat(60)}`,
    "1".repeat(10_000),
  ];
  for (const text of wrong) {
    assertEquals(tryParseVersion(text), undefined, text);
    assertEquals(assertThrows(() => parseVersion(text), HotplugError).code, "version");
  }
});
