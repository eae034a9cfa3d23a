import { quote } from "./_quote.ts";
import { HotplugError } from "./errors.ts";

/** An operating system, in Go's words. */
export type Os = "linux" | "darwin" | "windows";

/** A processor architecture, in Go's words. */
export type Arch = "amd64" | "arm64";

/** One of the six platforms that Deno runs on and hotplug builds for. */
export interface Platform {
  /** The operating system. */
  readonly os: Os;
  /** The architecture. */
  readonly arch: Arch;
}

/** What a portable module is built for: every platform. */
export interface AnyPlatform {
  /** Every operating system. */
  readonly os: "any";
  /** Every architecture. */
  readonly arch: "any";
}

/** What an artifact is built for: one platform, or all of them; never one half of each. */
export type Target = Platform | AnyPlatform;

/** The six platforms. */
export const TARGETS: readonly Platform[] = Object.freeze(
  (["linux", "darwin", "windows"] as const).flatMap((os) =>
    (["amd64", "arm64"] as const).map((arch) => Object.freeze({ os, arch }))
  ),
);

/** The target of a portable module. */
export const ANY_TARGET: AnyPlatform = Object.freeze({ os: "any", arch: "any" });

const OS_WORDS: ReadonlyMap<string, Os> = new Map([
  ["linux", "linux"],
  ["darwin", "darwin"],
  ["macos", "darwin"],
  ["mac", "darwin"],
  ["osx", "darwin"],
  ["windows", "windows"],
  ["win32", "windows"],
  ["win", "windows"],
]);

const ARCH_WORDS: ReadonlyMap<string, Arch> = new Map([
  ["amd64", "amd64"],
  ["x64", "amd64"],
  ["x86_64", "amd64"],
  ["arm64", "arm64"],
  ["aarch64", "arm64"],
]);

const TRIPLE_ENDS: Readonly<Record<Os, string>> = {
  linux: "unknown-linux-gnu",
  darwin: "apple-darwin",
  windows: "pc-windows-msvc",
};

const BY_TRIPLE: ReadonlyMap<string, Platform> = new Map(
  TARGETS.map((target) => [denoTriple(target), target]),
);

/**
 * Reads a target in any spelling that people type: Go's words, Deno's and Node's words, a target
 * triple, `any`; os and arch in either order, parted by `/`, `-` or `_`, in upper or lower case.
 *
 * @example
 * ```ts
 * import { parseTarget } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseTarget("linux/amd64"), { os: "linux", arch: "amd64" });
 * assertEquals(parseTarget("macOS-x86_64"), { os: "darwin", arch: "amd64" });
 * assertEquals(parseTarget("aarch64-unknown-linux-gnu"), { os: "linux", arch: "arm64" });
 * assertEquals(parseTarget("any"), { os: "any", arch: "any" });
 * ```
 *
 * @throws {HotplugError} code `target`: no such platform, or `any` mixed with one
 */
export function parseTarget(text: string): Target {
  const word = typeof text === "string" && text.length <= 64 ? text.trim().toLowerCase() : "";
  const triple = BY_TRIPLE.get(word);
  if (triple !== undefined) return triple;
  const words = word.replace(/x86[_-]64/g, "amd64").split(/[/_-]/);
  if (words.every((each) => each === "any") && words.length <= 2) return ANY_TARGET;
  const [first = "", second = "", ...rest] = words;
  const target = rest.length === 0 && (platformOf(first, second) ?? platformOf(second, first));
  if (target) return target;
  const mixed = words.includes("any") ? "any is never mixed with a platform" : "no such platform";
  const known = [...TARGETS, ANY_TARGET].map(formatTarget).join(", ");
  throw new HotplugError(
    "target",
    `Cannot read ${quote(text)} as a target: ${mixed}; use one of ${known}`,
  );
}

function platformOf(osWord: string, archWord: string): Platform | undefined {
  const os = OS_WORDS.get(osWord);
  const arch = ARCH_WORDS.get(archWord);
  return TARGETS.find((target) => target.os === os && target.arch === arch);
}

/** Writes a target as people read it: `linux/amd64`, or `any`. */
export function formatTarget(target: Target): string {
  return target.os === "any" ? "any" : `${target.os}/${target.arch}`;
}

/**
 * Answers with the target triple that `deno compile --target` takes.
 *
 * @example
 * ```ts
 * import { denoTriple } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(denoTriple({ os: "darwin", arch: "arm64" }), "aarch64-apple-darwin");
 * ```
 *
 * @throws {HotplugError} code `target`: `any` has no triple
 */
export function denoTriple(target: Target): string {
  if (target.os === "any") {
    throw new HotplugError(
      "target",
      "Cannot compile for any: an executable runs on one platform only; name it, as linux/amd64",
    );
  }
  return `${target.arch === "amd64" ? "x86_64" : "aarch64"}-${TRIPLE_ENDS[target.os]}`;
}

/**
 * Answers with the platform that this process runs on.
 *
 * @throws {HotplugError} code `target`: hotplug doesn't know this platform
 */
export function hostTarget(): Platform {
  const target = platformOf(Deno.build.os, Deno.build.arch);
  if (target !== undefined) return target;
  throw new HotplugError(
    "target",
    `Cannot run on ${Deno.build.os}/${Deno.build.arch}: hotplug knows ${
      TARGETS.map(formatTarget).join(", ")
    }`,
  );
}

/**
 * Makes a target of an os and an arch that belong together.
 *
 * @throws {HotplugError} code `target`: no such platform, or `any` mixed with one
 */
export function targetOf(parts: { readonly os: string; readonly arch: string }): Target {
  const { os, arch } = parts;
  if (os === "any" && arch === "any") return ANY_TARGET;
  return TARGETS.find((target) => target.os === os && target.arch === arch) ??
    parseTarget(`${os}/${arch}`);
}
