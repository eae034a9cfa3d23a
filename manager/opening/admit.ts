import {
  type ArtifactName,
  checkRuntime,
  HotplugError,
  isFutureScn,
  type Scn,
  scnFromDate,
} from "../../artifact/mod.ts";
import type { ResolvedManagerOptions } from "../settings/options.ts";

/** Why an artifact is not for this host, or not for now. */
export interface Refusal {
  /** What keeps it out. */
  readonly code:
    | "outdated"
    | "platform"
    | "runtime"
    | "future"
    | "unsupported"
    | "conflict"
    | "incomplete";
  /** The reason and the remedy, as the end of a sentence. */
  readonly reason: string;
}

/**
 * Checks what the name alone tells: floor, platform, runtime, time. No file is touched.
 *
 * What is loaded already is not looked at here; see the manager.
 */
export function admit(
  parts: ArtifactName,
  options: ResolvedManagerOptions,
  now: number = Date.now(),
): Refusal | undefined {
  if (parts.scn < options.initialScn) {
    return { code: "outdated", reason: `it lies below the initial SCN ${options.initialScn}` };
  }
  const { mode } = parts;
  const mismatch = checkRuntime(parts, options.runtime, { rule: options.runtimeRule, mode });
  if (mismatch) return mismatch;
  if (isFutureScn(parts.scn, new Date(now), options.futureTolerance)) {
    return {
      code: "future",
      reason: "its SCN lies ahead of this host's clock by more than " +
        `${Math.round(options.futureTolerance / 1000)} s; it waits until then (check both clocks)`,
    };
  }
  if (mode === "executable" && !options.executables) {
    return {
      code: "unsupported",
      reason:
        "it is an executable, and this host runs modules only; build it with target `any`, or " +
        "set option `executables` where its permissions, which are compiled in, can be believed",
    };
  }
  return undefined;
}

/** The same as {@linkcode admit} for what was current in an earlier process: floor and time admit it. */
export function admitReopened(
  parts: ArtifactName,
  options: ResolvedManagerOptions,
): Refusal | undefined {
  const refusal = admit(parts, options);
  return refusal?.code === "outdated" || refusal?.code === "future" ? undefined : refusal;
}

/**
 * The same as {@linkcode admit} for many names at one time: what does not depend on the SCN is found
 * out once for each runtime.
 */
export function admitter(
  options: ResolvedManagerOptions,
  now: number,
): (parts: ArtifactName) => Refusal | undefined {
  const latest = latestScn(now + options.futureTolerance);
  const refusals = new Map<string, Refusal | undefined>();
  return (parts) => {
    if (parts.scn < options.initialScn || parts.scn > latest) return admit(parts, options, now);
    const { version, os, arch, mode } = parts;
    const key = `${version} ${os} ${arch} ${mode}`;
    if (!refusals.has(key)) refusals.set(key, admit(parts, options, now));
    return refusals.get(key);
  };
}

/** The SCN of the last second that has begun by then; of a time past the calendar's end, 0. */
function latestScn(time: number): Scn {
  try {
    return scnFromDate(new Date(time));
  } catch {
    // Then each name is looked at by itself.
    return 0;
  }
}

/** The refusal as an error that names the file. */
export function refusalError(file: string, refusal: Refusal): HotplugError {
  return new HotplugError(refusal.code, `Cannot open "${file}": ${refusal.reason}`);
}
