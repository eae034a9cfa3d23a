/**
 * hotplug builds, ships and hot-loads Deno plugins: a builder turns source into stamped artifacts, a
 * manager loads only what is newer and keeps older generations in memory, a daemon watches
 * directories and swaps new versions into a running process.
 *
 * @example Build a plugin, load it, call it
 * ```ts
 * import { build, PluginManager } from "@hotplug/hotplug";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * await Deno.writeTextFile(
 *   `${directory}/greeter.ts`,
 *   "export function greet(name: string): string { return `Hello, ${name}!`; }",
 * );
 * await build({ source: `${directory}/greeter.ts`, dest: `${directory}/plugins` });
 *
 * await using manager = new PluginManager();
 * const greeter = await manager.openNewest(`${directory}/plugins`, "greeter");
 * assertEquals(await greeter.call("greet", "Ada"), "Hello, Ada!");
 *
 * await Deno.remove(directory, { recursive: true });
 * ```
 *
 * @module
 */

export {
  ANY_TARGET,
  ArtifactNameError,
  artifactStem,
  assertNoThenSymbol,
  assertPluginName,
  checkRuntime,
  comparePreference,
  compareScn,
  compareVersions,
  DEFAULT_BARE_SETTLE_MS,
  DEFAULT_FUTURE_TOLERANCE_MS,
  DEFAULT_MAX_MODULE_BYTES,
  DEFAULT_RETRY_MAX_MS,
  DEFAULT_RETRY_MIN_MS,
  DEFAULT_STALE_LOCK_MS,
  denoTriple,
  formatArtifactName,
  formatInfo,
  formatTarget,
  formatVersion,
  generateKeyPair,
  HOOKS,
  hostRuntime,
  hostTarget,
  HotplugError,
  infoFileName,
  intersectPermissions,
  isFutureScn,
  isHook,
  isPluginName,
  isScn,
  isSha256,
  lockFileName,
  MAX_FILE_NAME_LENGTH,
  MAX_INFO_BYTES,
  MAX_PLUGIN_NAME_LENGTH,
  MAX_VERSION_LENGTH,
  nextScn,
  parseArtifactName,
  parseInfo,
  parseInfoFileName,
  parseLockFileName,
  parsePublicKeys,
  parseScn,
  parseSigningKey,
  parseTarget,
  parseVersion,
  PERMISSION_KINDS,
  permissionsBeyond,
  PLACED_SOURCE_MAP,
  scanModule,
  scnFromDate,
  scnToDate,
  sha256,
  sha256Stream,
  signInfo,
  SOURCE_MAP_LINK,
  sourceMapFileName,
  targetOf,
  TARGETS,
  tryParseArtifactName,
  tryParseInfoFileName,
  tryParseScn,
  tryParseVersion,
  verifyInfo,
} from "./artifact/mod.ts";
export type {
  AnyPlatform,
  Arch,
  ArtifactContent,
  ArtifactFile,
  ArtifactName,
  ArtifactNamePart,
  ArtifactStem,
  Attestation,
  AttestationSignature,
  CheckRuntimeOptions,
  Compression,
  ErrorCode,
  Hook,
  InfoFile,
  Jwk,
  KeyPair,
  KeySource,
  LockName,
  Mode,
  ModuleScan,
  NamedKey,
  Os,
  ParsedInfo,
  PermissionKind,
  Permissions,
  Platform,
  PublicKey,
  Requirements,
  Runtime,
  RuntimeRefusal,
  RuntimeRule,
  Scn,
  SigningKey,
  SourceMapFile,
  StreamDigest,
  Target,
  VerifiedInfo,
  Version,
} from "./artifact/mod.ts";
export {
  build,
  DEFAULT_SOURCE_LIMITS,
  describeProgress,
  TargetsFailedError,
} from "./builder/mod.ts";
export type { LogMethod, PluginContext, PluginLogger } from "./plugin/mod.ts";
export type {
  BuildLogger,
  BuildOptions,
  BuildProgress,
  BuildResult,
  BuildServiceEvent,
  BuildServiceOptions,
  BuiltArtifact,
  DefineValue,
  RemoteService,
  ServiceStatus,
  SourceLimits,
  TargetFailure,
  VerifyDifference,
  VerifyOptions,
  VerifyResult,
} from "./builder/mod.ts";
export {
  isFinal,
  isPluginOutdated,
  PluginManager,
  PluginOutdatedError,
  verifyArtifact,
} from "./manager/mod.ts";
export type {
  AcquireOptions,
  ApprovalRule,
  CallOptions,
  ChooseTier,
  ConflictEvent,
  FailedEvent,
  Generation,
  GenerationHolder,
  GenerationState,
  GenerationStatus,
  HandleResult,
  Holder,
  HoldEvent,
  Lease,
  LoadedEvent,
  Loader,
  ManagerEvent,
  ManagerOptions,
  OpenOptions,
  OwnPluginSettings,
  ParkedEvent,
  PluginHandle,
  PluginSettings,
  PluginStatus,
  Probation,
  RefusalEvent,
  Retention,
  RetiredEvent,
  RollbackOptions,
  RolledBackEvent,
  SkippedEvent,
  Tier,
  VerifiedArtifact,
} from "./manager/mod.ts";
export { PluginDaemon } from "./daemon/mod.ts";
export type {
  DaemonEvent,
  DaemonOptions,
  ReadyEvent,
  RetriedEvent,
  StoppedEvent,
  WatchEvent,
} from "./daemon/mod.ts";
