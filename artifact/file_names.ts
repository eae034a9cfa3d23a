import { quote } from "./_quote.ts";
import { type ArtifactStem, fileFault, formatStem, readStem, type StemFault } from "./_stem.ts";
import { MAX_FILE_NAME_LENGTH } from "./limits.ts";
import { ArtifactNameError } from "./name_error.ts";
import { assertPluginName, isPluginName } from "./plugin_name.ts";
import { parseScn, type Scn, tryParseScn } from "./scn.ts";

/** What a lock's file name says: which build is under way. */
export interface LockName {
  /** The plugin's name. */
  readonly name: string;
  /** The SCN that is reserved. */
  readonly scn: Scn;
}

/**
 * Writes the stem that an artifact shares with its info file and its source map.
 *
 * @example
 * ```ts
 * import { artifactStem, parseArtifactName } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * const name = parseArtifactName("pricing_20261123014512_2_9_5_any_any.mjs");
 * assertEquals(artifactStem(name), "pricing_20261123014512_2_9_5_any_any");
 * ```
 *
 * @throws {ArtifactNameError} a part is not valid, or they don't go together
 */
export function artifactStem(name: ArtifactStem): string {
  return formatStem(name);
}

/**
 * Writes the name of an artifact's info file.
 *
 * @throws {ArtifactNameError} a part is not valid, or they don't go together
 */
export function infoFileName(name: ArtifactStem): string {
  return `${formatStem(name)}.pinf`;
}

/**
 * Writes the name of a module's source map.
 *
 * @throws {ArtifactNameError} a part is not valid, or they don't go together
 */
export function sourceMapFileName(name: ArtifactStem): string {
  return `${formatStem(name)}.mjs.map`;
}

/**
 * Writes the name of the lock that a build holds until its last file is published.
 *
 * @example
 * ```ts
 * import { lockFileName, parseLockFileName } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * const file = lockFileName("pricing", 20261123014512);
 * assertEquals(file, ".pricing_20261123014512.lock");
 * assertEquals(parseLockFileName(file), { name: "pricing", scn: 20261123014512 });
 * ```
 *
 * @throws {HotplugError} code `name` or `scn`: one of the two is not valid
 */
export function lockFileName(name: string, scn: Scn): string {
  assertPluginName(name);
  return `.${name}_${parseScn(String(scn))}.lock`;
}

/** Reads the name of a lock; answers with nothing if it is none. */
export function parseLockFileName(file: string): LockName | undefined {
  if (typeof file !== "string" || file.length > MAX_FILE_NAME_LENGTH) return undefined;
  const [, name = "", digits = ""] = /^\.(.+)_([0-9]{14})\.lock$/.exec(file) ?? [];
  const scn = tryParseScn(digits);
  return scn !== undefined && isPluginName(name) ? { name, scn } : undefined;
}

/**
 * Reads the name of an info file, from the right.
 *
 * @throws {ArtifactNameError} it is none; `part` says what is wrong
 */
export function parseInfoFileName(file: string): ArtifactStem {
  const result = read(file);
  if (!("part" in result)) return result;
  throw new ArtifactNameError(
    result.part,
    file,
    `Cannot read ${quote(file)} as an info file's name: ${result.why}`,
  );
}

/** Reads the name of an info file; answers with nothing if it is none. */
export function tryParseInfoFileName(file: string): ArtifactStem | undefined {
  const result = read(file);
  return "part" in result ? undefined : result;
}

function read(file: string): ArtifactStem | StemFault {
  const unusable = fileFault(file);
  if (unusable !== undefined) return unusable;
  if (!file.endsWith(".pinf")) return { part: "extension", why: "it takes .pinf at its end" };
  return readStem(file.slice(0, -".pinf".length));
}
