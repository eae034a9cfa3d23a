import { formatTarget, HotplugError, type Target } from "../artifact/mod.ts";
import type { BuildResult } from "./build_result.ts";

/** A target that could not be built, and why. */
export interface TargetFailure {
  /** The target. */
  readonly target: Target;
  /** What was the matter. */
  readonly error: HotplugError;
}

/**
 * Some targets of a build failed, or all of them. The others are published all the same: they are in
 * `result`.
 *
 * @example
 * ```ts
 * import { type BuildResult, build, TargetsFailedError } from "@hotplug/hotplug/builder";
 *
 * async function buildAll(source: string, dest: string): Promise<BuildResult | undefined> {
 *   try {
 *     return await build({ source, dest, mode: "executable", targets: ["all"] });
 *   } catch (error) {
 *     if (!(error instanceof TargetsFailedError)) throw error;
 *     for (const { target, error: cause } of error.failures) {
 *       console.error(target.os, target.arch, cause.message);
 *     }
 *     return error.result;
 *   }
 * }
 * ```
 */
export class TargetsFailedError extends HotplugError {
  /** The class's name. */
  override name = "TargetsFailedError";
  /** The targets that failed, in the order of the targets. */
  readonly failures: readonly TargetFailure[];
  /** What was published; nothing if all of them failed. */
  readonly result: BuildResult | undefined;

  /** Makes the error of these failures. */
  constructor(failures: readonly TargetFailure[], result?: BuildResult) {
    const made = result?.artifacts.length ?? 0;
    const reasons = failures.map(({ target, error: { message } }) => {
      const word = formatTarget(target);
      return message.includes(word) ? message : `${word}: ${message}`;
    });
    super(
      "compile",
      `Cannot build ${failures.length} of ${failures.length + made} targets` +
        `${made === 0 ? "" : ` (${made} published)`}; mend what is the matter and build these ` +
        `again:\n${reasons.join("\n")}`,
      { cause: failures[0]?.error },
    );
    this.failures = failures;
    this.result = result;
  }
}
