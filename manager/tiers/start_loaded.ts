import { HotplugError } from "../../artifact/mod.ts";
import type { LoadedExports } from "../../plugin/mod.ts";
import { giveUp } from "./end_runner.ts";
import { limited } from "../limited.ts";
import type { RemoteSpec } from "./remote_spec.ts";
import type { Runner } from "./runner.ts";

/** A process or worker whose module is evaluated, and what that has. */
export interface Loaded {
  /** Where it runs. */
  readonly runner: Runner;
  /** What the module exports. */
  readonly exports: LoadedExports;
}

/**
 * Starts a process or worker and loads its module; where that fails nothing of it is left.
 *
 * @throws {HotplugError} As the start of a remote instance does; the signal's reason.
 */
export async function startLoaded(spec: RemoteSpec, signal: AbortSignal): Promise<Loaded> {
  const limits = { signal, deadline: spec.startDeadline };
  const runner = await spec.start(spec.events, signal);
  try {
    const loading = runner.connection.call("load", { url: spec.url });
    const exports = await limited(loading, limits, `Start of ${spec.label}`);
    if (isExports(exports)) return { runner, exports };
    throw new HotplugError(
      "protocol",
      `The ${spec.tier} of ${spec.label} does not say what it has`,
    );
  } catch (error) {
    await giveUp(runner, error, spec);
    throw error;
  }
}

/** What a process says of itself is not to be believed without a look. */
function isExports(value: unknown): value is LoadedExports {
  if (typeof value !== "object" || value === null) return false;
  const { functions, values, hooks } = value as Partial<LoadedExports>;
  const areNames = (list: unknown): boolean =>
    Array.isArray(list) && list.every((each) => typeof each === "string");
  return areNames(functions) && areNames(hooks) && values instanceof Map;
}
