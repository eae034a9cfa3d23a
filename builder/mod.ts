/**
 * From source to artifacts: bundles a plugin into one module that stands alone, stamps it and
 * publishes it into a directory.
 *
 * @example
 * ```ts
 * import { build } from "@hotplug/hotplug/builder";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * try {
 *   await Deno.writeTextFile(`${folder}/tax.ts`, "export const rate = () => 0.2;");
 *   const { artifacts } = await build({ source: `${folder}/tax.ts`, dest: folder, gzip: true });
 *   assertEquals(artifacts[0]?.info.artifact.compression, "gzip");
 * } finally {
 *   await Deno.remove(folder, { recursive: true });
 * }
 * ```
 *
 * @module
 */

export { build } from "./build.ts";
export { BuildService } from "./service/build_service.ts";
export type { BuildResult, BuiltArtifact } from "./build_result.ts";
export type { DefineValue } from "./define.ts";
export { describeProgress, formatBytes } from "./describe_progress.ts";
export type { BuildLogger } from "./logger.ts";
export type { BuildOptions } from "./options.ts";
export type { BuildProgress } from "./progress.ts";
export type { RemoteService } from "./protocol/remote_service.ts";
export type { BuildServiceEvent } from "./service/service_event.ts";
export type { BuildServiceOptions } from "./service/service_options.ts";
export type { ServiceStatus } from "./service/service_status.ts";
export { DEFAULT_SOURCE_LIMITS, type SourceLimits } from "./sources/source_limits.ts";
export { type TargetFailure, TargetsFailedError } from "./target_failure.ts";
export {
  verifyBuild,
  type VerifyDifference,
  type VerifyOptions,
  type VerifyResult,
} from "./verify_build.ts";
