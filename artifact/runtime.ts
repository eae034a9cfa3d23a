import { type Arch, formatTarget, hostTarget, type Os, targetOf } from "./target.ts";
import { formatVersion, parseVersion, type Version } from "./version.ts";

/** What an artifact was built for, or what a host runs. */
export interface Runtime {
  /** The version of Deno, as `2.9.5`. */
  readonly version: string;
  /** The operating system, or `any` together with `arch`. */
  readonly os: Os | "any";
  /** The architecture, or `any` together with `os`. */
  readonly arch: Arch | "any";
}

/**
 * How alike artifact and host must be.
 *
 * - `compatible`: same major version, host's `MAJOR.MINOR` at or above the artifact's, same
 *   platform or `any`
 * - `exact`: same version, os and arch
 *
 * For an executable, which carries its own Deno, only os and arch count under both.
 */
export type RuntimeRule = "compatible" | "exact";

/** Options of {@linkcode checkRuntime}. */
export interface CheckRuntimeOptions {
  /**
   * How alike artifact and host must be.
   *
   * @default {"compatible"}
   */
  readonly rule?: RuntimeRule;
  /**
   * What kind of artifact it is.
   *
   * @default {"module"}
   */
  readonly mode?: "module" | "executable";
}

/** Why an artifact doesn't fit a host. */
export interface RuntimeRefusal {
  /** What doesn't fit: os and arch, or the version of Deno. */
  readonly code: "platform" | "runtime";
  /** What is the matter and what to do, to follow the artifact's name in a sentence. */
  readonly reason: string;
}

/**
 * Answers with what this process runs; takes no permission. Build metadata of a canary is dropped.
 *
 * @throws {HotplugError} code `target`: hotplug doesn't know this platform
 */
export function hostRuntime(): Runtime {
  return { version: formatVersion(parseVersion(Deno.version.deno)), ...hostTarget() };
}

/**
 * Tells why an artifact doesn't fit a host; answers with nothing if it fits.
 *
 * @example
 * ```ts
 * import { checkRuntime } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * const host = { version: "2.9.5", os: "linux", arch: "amd64" } as const;
 * assertEquals(checkRuntime({ version: "2.8.0", os: "any", arch: "any" }, host), undefined);
 * assertEquals(checkRuntime({ version: "2.10.0", os: "any", arch: "any" }, host)?.code, "runtime");
 * ```
 *
 * @throws {HotplugError} code `version` or `target`: one of the two is no runtime
 */
export function checkRuntime(
  artifact: Runtime,
  host: Runtime,
  options: CheckRuntimeOptions = {},
): RuntimeRefusal | undefined {
  const { rule = "compatible", mode = "module" } = options;
  const platform = checkPlatform(artifact, host, rule);
  if (platform !== undefined) return { code: "platform", reason: platform };
  if (mode === "executable") return undefined;
  const [wanted, running] = [parseVersion(artifact.version), parseVersion(host.version)];
  const version = rule === "exact" ? checkSame(wanted, running) : checkCompatible(wanted, running);
  return version === undefined ? undefined : { code: "runtime", reason: version };
}

function checkPlatform(artifact: Runtime, host: Runtime, rule: RuntimeRule): string | undefined {
  const [built, here] = [formatTarget(targetOf(artifact)), formatTarget(targetOf(host))];
  if (built === here) return undefined;
  if (built !== "any") {
    return `is built for ${built}, this host is ${here}: build it for ${here} too`;
  }
  if (rule === "compatible") return undefined;
  return `is built for any platform, the rule exact takes ${here} only: build it for ${here}, ` +
    `or use the rule compatible`;
}

function checkSame(wanted: Version, running: Version): string | undefined {
  const [built, here] = [formatVersion(wanted), formatVersion(running)];
  if (built === here) return undefined;
  return `needs exactly Deno ${built}, this host runs ${here}: build it with ${here}, ` +
    `or use the rule compatible`;
}

function checkCompatible(wanted: Version, running: Version): string | undefined {
  if (wanted.major === running.major && wanted.minor <= running.minor) return undefined;
  const here = formatVersion(running);
  const remedy = wanted.major < running.major
    ? `build it anew with ${here}`
    : `upgrade this host's Deno, or build it with ${running.major}.${running.minor} or older`;
  return `needs Deno ${wanted.major}.${wanted.minor} or newer (same major), ` +
    `this host runs ${here}: ${remedy}`;
}
