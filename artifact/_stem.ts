import { quote } from "./_quote.ts";
import { MAX_FILE_NAME_LENGTH } from "./limits.ts";
import { ArtifactNameError, type ArtifactNamePart } from "./name_error.ts";
import { pluginNameFault } from "./plugin_name.ts";
import { parseScn, type Scn, tryParseScn } from "./scn.ts";
import { type Arch, type Os, TARGETS } from "./target.ts";
import { formatVersion, parseVersion, tryParseVersion } from "./version.ts";

/** What the stem of an artifact's file name says; info file and source map share it. */
export interface ArtifactStem {
  /** The plugin's name. */
  readonly name: string;
  /** The sequence change number of the build. */
  readonly scn: Scn;
  /** The version of Deno that it was built with, as `2.9.5`. */
  readonly version: string;
  /** The operating system it is for, or `any` together with `arch`. */
  readonly os: Os | "any";
  /** The architecture it is for, or `any` together with `os`. */
  readonly arch: Arch | "any";
}

/** What is wrong with a name. */
export interface StemFault {
  readonly part: ArtifactNamePart;
  readonly why: string;
}

const OSES: ReadonlySet<string> = new Set(["any", ...TARGETS.map((target) => target.os)]);
const ARCHES: ReadonlySet<string> = new Set(["any", ...TARGETS.map((target) => target.arch)]);
const FIELDS = 7;

/** Parts a file name into stem and extension: what follows the first dot of the last field. */
export function splitExtension(file: string): [stem: string, extension: string] {
  const dot = file.indexOf(".", file.lastIndexOf("_") + 1);
  return dot < 0 ? [file, ""] : [file.slice(0, dot), file.slice(dot)];
}

/** What keeps a text from being the name of a file at all; nothing if it may be one. */
export function fileFault(file: string): StemFault | undefined {
  if (typeof file !== "string") return { part: "shape", why: "it is no text" };
  if (file.length > MAX_FILE_NAME_LENGTH) {
    return { part: "length", why: `it is longer than ${MAX_FILE_NAME_LENGTH} characters` };
  }
  if (/[/\\]/.test(file)) return { part: "shape", why: "it is a path, not a file's name" };
  return undefined;
}

/** Reads `NAME_SCN_MAJOR_MINOR_PATCH_OS_ARCH` from the right. */
export function readStem(stem: string): ArtifactStem | StemFault {
  const fields = stem.split("_");
  if (fields.length < FIELDS) {
    return { part: "shape", why: "it takes NAME_SCN_MAJOR_MINOR_PATCH_OS_ARCH" };
  }
  const [scn = "", major, minor, patch, os = "", arch = ""] = fields.slice(-FIELDS + 1);
  const name = fields.slice(0, -FIELDS + 1).join("_");
  const text = { name, scn, version: `${major}.${minor}.${patch}`, os, arch };
  return stemFault(text) ?? { ...text, scn: Number(scn) } as ArtifactStem;
}

/** Writes the stem, or throws an {@linkcode ArtifactNameError}. */
export function formatStem(stem: ArtifactStem): string {
  const version = tryParseVersion(stem.version);
  const bare = version === undefined ? String(stem.version) : formatVersion(version);
  const scnText = typeof stem.scn === "number" ? String(stem.scn) : "";
  const fault = stemFault({ ...stem, scn: scnText, version: bare });
  if (fault !== undefined) {
    const input = String(stem[fault.part as keyof ArtifactStem] ?? stem.name);
    throw new ArtifactNameError(
      fault.part,
      input,
      `Cannot name an artifact of ${quote(stem.name)}: ${fault.why}`,
    );
  }
  const { name, scn, os, arch } = stem;
  return `${name}_${scn}_${bare.replace(".", "_").replace(".", "_")}_${os}_${arch}`;
}

type StemText = { readonly [key in keyof ArtifactStem]: string };

function stemFault(text: StemText): StemFault | undefined {
  const name = pluginNameFault(text.name);
  if (name !== undefined) {
    return { part: "name", why: `the name ${quote(text.name)} is not valid, ${name}` };
  }
  return scnFault(text.scn) ?? versionFault(text.version) ?? targetFault(text.os, text.arch);
}

function scnFault(scn: string): StemFault | undefined {
  if (tryParseScn(scn) !== undefined) return undefined;
  try {
    parseScn(scn);
    return undefined;
  } catch (error) {
    return { part: "scn", why: (error as Error).message };
  }
}

function versionFault(version: string): StemFault | undefined {
  if (version.includes("+")) {
    return { part: "version", why: `the version ${quote(version)} holds build metadata` };
  }
  if (tryParseVersion(version) !== undefined) return undefined;
  try {
    parseVersion(version);
    return undefined;
  } catch (error) {
    return { part: "version", why: (error as Error).message };
  }
}

function targetFault(os: string, arch: string): StemFault | undefined {
  if (!OSES.has(os)) {
    return { part: "os", why: `there is no os ${quote(os)}; it takes ${[...OSES].join(", ")}` };
  }
  if (!ARCHES.has(arch)) {
    const known = [...ARCHES].join(", ");
    return { part: "arch", why: `there is no arch ${quote(arch)}; it takes ${known}` };
  }
  if ((os === "any") === (arch === "any")) return undefined;
  return { part: "target", why: "any is never mixed with a platform" };
}
