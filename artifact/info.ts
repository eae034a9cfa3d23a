import * as v from "valibot";
import { infoSchema } from "./_info_schema.ts";
import { quote } from "./_quote.ts";
import { HotplugError } from "./errors.ts";
import { sourceMapFileName } from "./file_names.ts";
import { isHook } from "./hooks.ts";
import type { InfoFile } from "./info_file.ts";
import { MAX_INFO_BYTES } from "./limits.ts";
import { formatArtifactName } from "./name.ts";

/** An info file that was read. */
export interface ParsedInfo {
  /** What this version of hotplug understands of it. */
  readonly info: InfoFile;
  /** All that it says, unknown fields included. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/**
 * Reads an info file; what it doesn't know is ignored in `info` and kept in `raw`.
 *
 * @example
 * ```ts
 * import { formatInfo, parseInfo, sha256 } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * const content = { size: 25, sha256: sha256("export const quote = 42;\n") };
 * const text = formatInfo({
 *   format: 1,
 *   name: "pricing",
 *   scn: 20261123014512,
 *   mode: "module",
 *   runtime: { version: "2.9.5", os: "any", arch: "any" },
 *   artifact: {
 *     file: "pricing_20261123014512_2_9_5_any_any.mjs",
 *     ...content,
 *     compression: "none",
 *   },
 *   content,
 *   exports: ["quote"],
 *   hooks: [],
 *   imports: [],
 *   optional: [],
 *   source: { sha256: sha256("export const quote: number = 42;\n") },
 *   builtAt: "2026-11-23T01:45:12.402Z",
 *   builtWith: "hotplug/0.1.0 deno/2.9.5",
 * });
 * assertEquals(parseInfo(text).info.exports, ["quote"]);
 * ```
 *
 * @param text The file's text, or its bytes as UTF-8; at most 1 MiB
 * @param file The file's name, for what errors say
 * @throws {HotplugError} code `info`: it can't be read, a field is not valid, or fields contradict
 * each other
 */
export function parseInfo(text: string | Uint8Array, file?: string): ParsedInfo {
  const doing: Doing = file === undefined ? "read the info file" : `read ${quote(file)}`;
  const raw = readJson(text, doing);
  return { info: validate(raw, doing), raw: raw as Record<string, unknown> };
}

/**
 * Writes an info file in its canonical form: fixed order of fields, lists sorted and without
 * repetition, two spaces, a line feed at the end. The same info gives the same bytes.
 *
 * @throws {HotplugError} code `info`: a field is not valid, or fields contradict each other
 */
export function formatInfo(info: InfoFile): string {
  const text = `${JSON.stringify(validate(info, WRITE), null, 2)}\n`;
  if (new TextEncoder().encode(text).length > MAX_INFO_BYTES) throw tooLarge(WRITE);
  return text;
}

/** What is being done, as errors say it. */
type Doing = `read ${string}` | typeof WRITE;

const WRITE = "write the info file";

function readJson(text: string | Uint8Array, doing: Doing): unknown {
  if (text.length > MAX_INFO_BYTES) throw tooLarge(doing);
  try {
    const decoded = typeof text === "string"
      ? text
      : new TextDecoder("utf-8", { fatal: true }).decode(text);
    return JSON.parse(decoded, (key, value) => key === "__proto__" ? undefined : value);
  } catch (cause) {
    throw fault(doing, "it is no JSON; build the plugin again", { cause });
  }
}

function validate(value: unknown, doing: Doing): InfoFile {
  refuseNewerFormat(value, doing);
  const result = v.safeParse(infoSchema, value, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const field = v.getDotPath(issue);
    const missing = issue.input === undefined;
    if (field === null) throw fault(doing, `it must be a JSON object, got ${quote(issue.input)}`);
    throw fieldFault(
      doing,
      field,
      missing ? "is missing" : `${issue.message}, got ${quote(issue.input)}`,
    );
  }
  checkNames(result.output, doing);
  checkFiles(result.output, doing);
  return result.output;
}

function refuseNewerFormat(value: unknown, doing: Doing): void {
  if (typeof value !== "object" || value === null || !("format" in value)) return;
  const { format } = value;
  if (typeof format !== "number" || !(format > 1)) return;
  throw fieldFault(
    doing,
    "format",
    `is ${quote(format)}, this version of hotplug knows 1 only; upgrade hotplug`,
  );
}

function checkNames(info: InfoFile, doing: Doing): void {
  const hook = info.exports.find(isHook);
  if (hook !== undefined) {
    throw fieldFault(doing, "exports", `must not hold the hook ${quote(hook)}; name it in hooks`);
  }
  // A reader must not stumble over the hooks of a later hotplug; a writer has no such excuse.
  const unknown = doing === WRITE && info.hooks.find((each) => !isHook(each));
  if (unknown) throw fieldFault(doing, "hooks", `must not hold ${quote(unknown)}: no such hook`);
}

function checkFiles(info: InfoFile, doing: Doing): void {
  const { name, scn, runtime, mode, artifact, content, sourceMap } = info;
  const parts = { name, scn, ...runtime, mode, compression: artifact.compression };
  const file = nameOf(parts, doing);
  if (artifact.file !== file) {
    throw fieldFault(
      doing,
      "artifact.file",
      `must be ${quote(file)} by name, scn, runtime, mode and compression, ` +
        `got ${quote(artifact.file)}`,
    );
  }
  // An executable holds its content among other things: it is never the same as its file.
  if (mode === "module" && artifact.compression === "none") {
    for (const key of ["size", "sha256"] as const) {
      if (artifact[key] === content[key]) continue;
      throw fieldFault(doing, `content.${key}`, `must be artifact.${key} of a file not packed`);
    }
  }
  if (sourceMap === undefined) return;
  if (mode !== "module") throw fieldFault(doing, "sourceMap", "only a module has one");
  const map = sourceMapFileName(parts);
  if (sourceMap.file === map) return;
  throw fieldFault(
    doing,
    "sourceMap.file",
    `must be ${quote(map)}, got ${quote(sourceMap.file)}`,
  );
}

function nameOf(parts: Parameters<typeof formatArtifactName>[0], doing: Doing): string {
  try {
    return formatArtifactName(parts);
  } catch (cause) {
    throw fieldFault(doing, "runtime", `and mode don't go together: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function fieldFault(
  doing: Doing,
  field: string,
  why: string,
  options?: ErrorOptions,
): HotplugError {
  return fault(doing, `the field "${field}" ${why}`, options);
}

function fault(doing: Doing, why: string, options?: ErrorOptions): HotplugError {
  return new HotplugError("info", `Cannot ${doing}: ${why}`, options);
}

function tooLarge(doing: Doing): HotplugError {
  return fault(doing, `it is larger than ${MAX_INFO_BYTES} bytes`);
}
