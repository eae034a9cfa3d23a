import { quote } from "./_quote.ts";
import {
  type ArtifactStem,
  fileFault,
  formatStem,
  readStem,
  splitExtension,
  type StemFault,
} from "./_stem.ts";
import { ArtifactNameError } from "./name_error.ts";

export type { ArtifactStem } from "./_stem.ts";

/** What an artifact is: one ES module, or a program made by `deno compile`. */
export type Mode = "module" | "executable";

/** How an artifact's file is packed. */
export type Compression = "none" | "gzip";

/** What an artifact's file name says. */
export interface ArtifactName extends ArtifactStem {
  /** What the artifact is. */
  readonly mode: Mode;
  /** How its file is packed. */
  readonly compression: Compression;
}

type Kind = Pick<ArtifactName, "mode" | "compression"> & { readonly exe?: true };

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  [".mjs", { mode: "module", compression: "none" }],
  [".mjs.gz", { mode: "module", compression: "gzip" }],
  ["", { mode: "executable", compression: "none" }],
  [".gz", { mode: "executable", compression: "gzip" }],
  [".exe", { mode: "executable", compression: "none", exe: true }],
  [".exe.gz", { mode: "executable", compression: "gzip", exe: true }],
]);

/**
 * Reads the name of an artifact's file, from the right.
 *
 * @example
 * ```ts
 * import { parseArtifactName } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseArtifactName("eu_pricing_20261123014512_2_9_5_any_any.mjs.gz"), {
 *   name: "eu_pricing",
 *   scn: 20261123014512,
 *   version: "2.9.5",
 *   os: "any",
 *   arch: "any",
 *   mode: "module",
 *   compression: "gzip",
 * });
 * ```
 *
 * @throws {ArtifactNameError} it is none; `part` says what is wrong
 */
export function parseArtifactName(file: string): ArtifactName {
  const result = read(file);
  if (!("part" in result)) return result;
  throw new ArtifactNameError(
    result.part,
    file,
    `Cannot read ${quote(file)} as an artifact's name: ${result.why}`,
  );
}

/** Reads the name of an artifact's file; answers with nothing if it is none. */
export function tryParseArtifactName(file: string): ArtifactName | undefined {
  const result = read(file);
  return "part" in result ? undefined : result;
}

/**
 * Writes the name of an artifact's file. Build metadata of the version is dropped.
 *
 * @example
 * ```ts
 * import { formatArtifactName } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * const file = formatArtifactName({
 *   name: "pricing",
 *   scn: 20261123014512,
 *   version: "2.10.0-rc.1",
 *   os: "windows",
 *   arch: "amd64",
 *   mode: "executable",
 *   compression: "none",
 * });
 * assertEquals(file, "pricing_20261123014512_2_10_0-rc.1_windows_amd64.exe");
 * ```
 *
 * @throws {ArtifactNameError} a part is not valid, or they don't go together
 */
export function formatArtifactName(name: ArtifactName): string {
  const stem = formatStem(name);
  for (const [extension, kind] of KINDS) {
    if (kind.mode !== name.mode || kind.compression !== name.compression) continue;
    if (kind.mode === "executable" && (kind.exe === true) !== (name.os === "windows")) continue;
    const fault = kindFault(name, kind);
    if (fault === undefined) return stem + extension;
    throw new ArtifactNameError(fault.part, stem, `Cannot name ${quote(stem)}: ${fault.why}`);
  }
  throw new ArtifactNameError(
    "extension",
    stem,
    `Cannot name ${quote(stem)}: there is no mode ${quote(name.mode)} with compression ${
      quote(name.compression)
    }`,
  );
}

function read(file: string): ArtifactName | StemFault {
  const unusable = fileFault(file);
  if (unusable !== undefined) return unusable;
  const [bare, extension] = splitExtension(file);
  const stem = readStem(bare);
  if ("part" in stem) return stem;
  const kind = KINDS.get(extension);
  if (kind === undefined) {
    return {
      part: "extension",
      why: `${quote(extension)} is no artifact's extension; it takes .mjs, .exe or none, ` +
        `and .gz after it if packed`,
    };
  }
  const fault = kindFault(stem, kind);
  return fault ?? { ...stem, mode: kind.mode, compression: kind.compression };
}

function kindFault(stem: ArtifactStem, kind: Kind): StemFault | undefined {
  if (kind.mode === "module") return undefined;
  if (stem.os === "any") {
    return { part: "target", why: "an executable runs on one platform only, never on any" };
  }
  if ((kind.exe === true) === (stem.os === "windows")) return undefined;
  const why = kind.exe ? "only windows has .exe" : "an executable for windows ends in .exe";
  return { part: "extension", why };
}
