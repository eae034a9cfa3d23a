import * as v from "valibot";
import { isSha256 } from "./digest.ts";
import type { InfoFile, PermissionKind } from "./info_file.ts";
import { isPluginName } from "./plugin_name.ts";
import { isScn } from "./scn.ts";
import { formatVersion, tryParseVersion } from "./version.ts";

// Plain `object`: a reader ignores what it doesn't know; the raw record keeps it. A list would
// pass for one, so it is refused before.
function record<const Entries extends v.ObjectEntries>(entries: Entries) {
  const fields = v.object(entries, "must be an object");
  return v.pipe(v.custom<v.InferInput<typeof fields>>(isRecord, "must be an object"), fields);
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const text = v.pipe(v.string("must be a text"), v.nonEmpty("must not be empty"));

const sha256 = v.custom<string>(isSha256, "must be 64 lower-case hex digits");

const size = v.custom<number>(
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  "must be a size in bytes: a whole number, 0 or more",
);

const names = uniqueList(text);

function uniqueList(item: v.GenericSchema<unknown, string>) {
  return v.pipe(
    v.array(item, "must be a list of texts"),
    v.transform((list) => [...new Set(list)].sort()),
  );
}

// A comma would part one permission in two where it becomes a flag of Deno, unseen by who compares.
const permissionText = v.pipe(
  text,
  // deno-lint-ignore no-control-regex
  v.regex(/^[^,\x00-\x1f\x7f]*$/),
);

const permission = v.optional(
  v.union(
    [v.literal(true), uniqueList(permissionText)],
    "must be a list of texts without commas or control characters, or true for all",
  ),
);

// Alphabetical, as the canonical writing has them.
const permissions = record(
  {
    env: permission,
    ffi: permission,
    import: permission,
    net: permission,
    read: permission,
    run: permission,
    sys: permission,
    write: permission,
  } satisfies Record<PermissionKind, unknown>,
);

/** The fields of an info file, in the order of the canonical writing. */
export const infoSchema: v.GenericSchema<unknown, InfoFile> = record({
  format: v.literal(1, "must be 1"),
  name: v.custom<string>((value) => isPluginName(value as string), "must be a plugin's name"),
  scn: v.custom<number>(isScn, "must be an SCN: 14 digits of the calendar, as a number"),
  mode: v.picklist(["module", "executable"], `must be "module" or "executable"`),
  runtime: record({
    version: v.custom<string>(isCanonicalVersion, "must be a version, as 2.9.5"),
    os: v.picklist(["linux", "darwin", "windows", "any"], "must be linux, darwin, windows or any"),
    arch: v.picklist(["amd64", "arm64", "any"], "must be amd64, arm64 or any"),
  }),
  artifact: record({
    file: text,
    size,
    sha256,
    compression: v.picklist(["none", "gzip"], `must be "none" or "gzip"`),
  }),
  content: record({ size, sha256 }),
  sourceMap: v.optional(record({ file: text, sha256 })),
  exports: names,
  hooks: names,
  imports: names,
  optional: names,
  requires: v.optional(record({ contract: v.optional(text) })),
  permissions: v.optional(permissions),
  source: record({ sha256 }),
  builtAt: v.custom<string>(isTimestamp, "must be a time, as 2026-11-23T01:45:12.402Z"),
  builtWith: text,
  attestation: v.optional(record({
    payloadType: text,
    payload: text,
    signatures: v.array(
      record({ keyid: v.string("must be a text"), sig: text }),
      "must be a list",
    ),
  })),
});

function isCanonicalVersion(value: unknown): boolean {
  const version = tryParseVersion(value as string);
  return version !== undefined && formatVersion(version) === value;
}

function isTimestamp(value: unknown): boolean {
  if (typeof value !== "string" || value.length > 32) return false;
  const date = new Date(value);
  return !Number.isNaN(date.getTime()) && date.toISOString() === value;
}
