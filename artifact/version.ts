import { quote } from "./_quote.ts";
import { HotplugError } from "./errors.ts";
import { MAX_VERSION_LENGTH } from "./limits.ts";

/** A version of Deno: `MAJOR.MINOR.PATCH`, with the tag of a pre-release. */
export interface Version {
  /** Grows with what breaks. */
  readonly major: number;
  /** Grows with what is new. */
  readonly minor: number;
  /** Grows with what is repaired. */
  readonly patch: number;
  /** The pre-release tag, as `rc.1`; empty for a release. */
  readonly pre: string;
}

const NUMBER = "(0|[1-9][0-9]{0,8})";
const TAG_WORD = "(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)";
const SHAPE = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-(${TAG_WORD}(?:\\.${TAG_WORD})*))?` +
    `(\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

/**
 * Reads a version; build metadata (`+abc`) is dropped.
 *
 * @example
 * ```ts
 * import { parseVersion } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseVersion("2.10.0-rc.1+5e1a"), { major: 2, minor: 10, patch: 0, pre: "rc.1" });
 * ```
 *
 * @throws {HotplugError} code `version`: not a version, or longer than 64 characters
 */
export function parseVersion(text: string): Version {
  const version = tryParseVersion(text);
  if (version !== undefined) return version;
  throw new HotplugError(
    "version",
    `Cannot read ${quote(text)} as a version: it takes MAJOR.MINOR.PATCH without leading zeros, ` +
      `as 2.9.5 or 2.10.0-rc.1, at most ${MAX_VERSION_LENGTH} characters`,
  );
}

/** Reads a version as {@linkcode parseVersion} does; answers with nothing if it is none. */
export function tryParseVersion(text: string): Version | undefined {
  if (typeof text !== "string" || text.length > MAX_VERSION_LENGTH) return undefined;
  const match = SHAPE.exec(text);
  if (match === null) return undefined;
  const [, major, minor, patch, pre = ""] = match;
  return { major: Number(major), minor: Number(minor), patch: Number(patch), pre };
}

/** Writes a version: `2.9.5`, `2.10.0-rc.1`. */
export function formatVersion(version: Version): string {
  const { major, minor, patch, pre } = version;
  return `${major}.${minor}.${patch}${pre === "" ? "" : `-${pre}`}`;
}

/**
 * Compares two versions as semver does: a pre-release comes before its release.
 *
 * @example
 * ```ts
 * import { compareVersions, parseVersion } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(compareVersions(parseVersion("2.10.0-rc.2"), parseVersion("2.10.0-rc.10")), -1);
 * assertEquals(compareVersions(parseVersion("2.10.0"), parseVersion("2.10.0-rc.10")), 1);
 * ```
 */
export function compareVersions(a: Version, b: Version): -1 | 0 | 1 {
  return compare(a.major, b.major) || compare(a.minor, b.minor) || compare(a.patch, b.patch) ||
    compareTags(a.pre, b.pre);
}

function compareTags(a: string, b: string): -1 | 0 | 1 {
  if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1;
  const [left, right] = [a.split("."), b.split(".")];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const order = compareTagWords(left[at] ?? "", right[at] ?? "");
    if (order !== 0) return order;
  }
  return compare(left.length, right.length);
}

function compareTagWords(a: string, b: string): -1 | 0 | 1 {
  const [aIsNumber, bIsNumber] = [/^[0-9]+$/.test(a), /^[0-9]+$/.test(b)];
  if (aIsNumber && bIsNumber) return compare(BigInt(a), BigInt(b));
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
  return compare(a, b);
}

function compare<T extends number | bigint | string>(a: T, b: T): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}
