/**
 * The ground floor of hotplug: SCN, artifact names, targets, runtimes, info files and digests.
 * Pure: no disk, no network, no permission.
 *
 * @example
 * ```ts
 * import { checkRuntime, hostRuntime, parseArtifactName } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * const name = parseArtifactName("pricing_20261123014512_2_0_0_any_any.mjs");
 * assertEquals(name.scn, 20261123014512);
 * assertEquals(checkRuntime(name, hostRuntime(), { mode: name.mode }), undefined);
 * ```
 *
 * @module
 */

export { comparePreference } from "./choose.ts";
export { isSha256, sha256, sha256Stream } from "./digest.ts";
export type { StreamDigest } from "./digest.ts";
export { HotplugError } from "./errors.ts";
export type { ErrorCode } from "./errors.ts";
export {
  artifactStem,
  infoFileName,
  lockFileName,
  parseInfoFileName,
  parseLockFileName,
  sourceMapFileName,
  tryParseInfoFileName,
} from "./file_names.ts";
export type { LockName } from "./file_names.ts";
export { generateKeyPair } from "./generate_key_pair.ts";
export type { KeyPair } from "./generate_key_pair.ts";
export { HOOKS, isHook } from "./hooks.ts";
export type { Hook } from "./hooks.ts";
export { formatInfo, parseInfo } from "./info.ts";
export type { ParsedInfo } from "./info.ts";
export type {
  ArtifactContent,
  ArtifactFile,
  Attestation,
  AttestationSignature,
  InfoFile,
  PermissionKind,
  Permissions,
  Requirements,
  SourceMapFile,
} from "./info_file.ts";
export type { Jwk, KeySource, NamedKey } from "./key.ts";
export {
  DEFAULT_BARE_SETTLE_MS,
  DEFAULT_FUTURE_TOLERANCE_MS,
  DEFAULT_MAX_MODULE_BYTES,
  DEFAULT_RETRY_MAX_MS,
  DEFAULT_RETRY_MIN_MS,
  DEFAULT_STALE_LOCK_MS,
  MAX_FILE_NAME_LENGTH,
  MAX_INFO_BYTES,
  MAX_PLUGIN_NAME_LENGTH,
  MAX_VERSION_LENGTH,
} from "./limits.ts";
export { formatArtifactName, parseArtifactName, tryParseArtifactName } from "./name.ts";
export type { ArtifactName, ArtifactStem, Compression, Mode } from "./name.ts";
export { ArtifactNameError } from "./name_error.ts";
export type { ArtifactNamePart } from "./name_error.ts";
export { intersectPermissions, PERMISSION_KINDS, permissionsBeyond } from "./permissions.ts";
export { assertPluginName, isPluginName } from "./plugin_name.ts";
export { parsePublicKeys } from "./public_key.ts";
export type { PublicKey } from "./public_key.ts";
export { checkRuntime, hostRuntime } from "./runtime.ts";
export type { CheckRuntimeOptions, Runtime, RuntimeRefusal, RuntimeRule } from "./runtime.ts";
export { assertNoThenSymbol, scanModule } from "./scan_module.ts";
export type { ModuleScan } from "./scan_module.ts";
export {
  compareScn,
  isFutureScn,
  isScn,
  nextScn,
  parseScn,
  scnFromDate,
  scnToDate,
  tryParseScn,
} from "./scn.ts";
export type { Scn } from "./scn.ts";
export { signInfo } from "./sign_info.ts";
export { parseSigningKey } from "./signing_key.ts";
export type { SigningKey } from "./signing_key.ts";
export { PLACED_SOURCE_MAP, SOURCE_MAP_LINK } from "./source_map.ts";
export {
  ANY_TARGET,
  denoTriple,
  formatTarget,
  hostTarget,
  parseTarget,
  targetOf,
  TARGETS,
} from "./target.ts";
export type { AnyPlatform, Arch, Os, Platform, Target } from "./target.ts";
export { verifyInfo } from "./verify_info.ts";
export type { VerifiedInfo } from "./verify_info.ts";
export { compareVersions, formatVersion, parseVersion, tryParseVersion } from "./version.ts";
export type { Version } from "./version.ts";
