import { assertEquals, assertThrows } from "@std/assert";
import {
  ANY_TARGET,
  denoTriple,
  formatTarget,
  hostTarget,
  HotplugError,
  parseTarget,
  targetOf,
  TARGETS,
} from "../artifact/mod.ts";

const OS_WORDS = {
  linux: ["linux", "Linux"],
  darwin: ["darwin", "macos", "macOS", "mac", "osx"],
  windows: ["windows", "Windows", "win32", "win"],
};
const ARCH_WORDS = {
  amd64: ["amd64", "x64", "X64", "x86_64", "x86-64"],
  arm64: ["arm64", "aarch64", "ARM64"],
};

Deno.test("every spelling of the six platforms is read as that platform", () => {
  for (const { os, arch } of TARGETS) {
    for (const osWord of OS_WORDS[os]) {
      for (const archWord of ARCH_WORDS[arch]) {
        for (const parter of ["/", "-", "_"]) {
          for (const text of [osWord + parter + archWord, archWord + parter + osWord]) {
            assertEquals([text, parseTarget(text)], [text, { os, arch }]);
          }
        }
      }
    }
  }
});

Deno.test("a target is the same after writing and reading it, as word and as triple", () => {
  assertEquals(TARGETS.length, 6);
  for (const target of TARGETS) {
    assertEquals(parseTarget(formatTarget(target)), target);
    assertEquals(parseTarget(denoTriple(target)), target);
    assertEquals(parseTarget(` ${denoTriple(target).toUpperCase()} `), target);
    assertEquals(targetOf(target), target);
  }
  assertEquals(TARGETS.map(denoTriple), [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "aarch64-pc-windows-msvc",
  ]);
});

Deno.test("any is read in every spelling, and has no triple", () => {
  for (const text of ["any", "ANY", "any/any", "any_any", "any-any", " any "]) {
    assertEquals(parseTarget(text), ANY_TARGET);
  }
  assertEquals(formatTarget(ANY_TARGET), "any");
  assertEquals(targetOf({ os: "any", arch: "any" }), ANY_TARGET);
  assertEquals(assertThrows(() => denoTriple(ANY_TARGET), HotplugError).code, "target");
});

Deno.test("what is no platform is refused with a message that lists the platforms", () => {
  const wrong = [
    "",
    " ",
    "linux",
    "amd64",
    "linux/",
    "/amd64",
    "linux//amd64",
    "linux/amd64/v2",
    "linux/386",
    "linux amd64",
    "linux/riscv64",
    "freebsd/amd64",
    "win64/x64",
    "x86_64-unknown-linux-musl",
    "x86_64-pc-windows-gnu",
    "amd64/x86_64",
    "linux/darwin",
    "any/any/any",
    "lіnux/amd64",
    "linux/amd64\0",
    "../linux",
    "__proto__/constructor",
    "a".repeat(10_000),
  ];
  for (const text of wrong) {
    const error = assertThrows(() => parseTarget(text), HotplugError, "linux/amd64, linux/arm64");
    assertEquals([text, error.code], [text, "target"]);
  }
});

Deno.test("any mixed with a platform is refused, and the message says so", () => {
  for (const text of ["any/amd64", "linux/any", "any-arm64", "x86_64_any", "any/linux"]) {
    assertThrows(() => parseTarget(text), HotplugError, "never mixed");
  }
  assertThrows(() => targetOf({ os: "any", arch: "amd64" }), HotplugError, "never mixed");
});

Deno.test("the host is one of the six platforms", () => {
  assertEquals(TARGETS.filter((target) => target === hostTarget()).length, 1);
});
