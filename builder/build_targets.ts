import { HotplugError, type Target } from "../artifact/mod.ts";
import { applyDefines } from "./bundle/apply_defines.ts";
import { type BuiltModule, finishModule } from "./built_module.ts";
import type { BuiltPlugin } from "./build_plugin.ts";
import { throwIfCancelled } from "./cancel.ts";
import { compile, type CompiledFile } from "./compile.ts";
import { platformDefines } from "./define.ts";
import type { BuildConfig } from "./build_config.ts";
import { settleAll } from "./settle_all.ts";
import type { TargetFailure } from "./target_failure.ts";
import type { Toolchain } from "./toolchain/toolchain.ts";

/** What is built of one target. */
export interface BuiltTarget {
  /** The target. */
  readonly target: Target;
  /** Its module; targets between which nothing differs share one. */
  readonly module: BuiltModule;
  /** The executable that the module was compiled into, if that was asked for. */
  readonly executable?: CompiledFile;
}

/** What {@linkcode buildTargets} needs. */
export interface TargetsRequest {
  /** The options of the build. */
  readonly config: BuildConfig;
  /** The Deno that compiles. */
  readonly toolchain: Toolchain;
  /** The plugin, bundled. */
  readonly plugin: BuiltPlugin;
  /** The work folder of the build. */
  readonly workFolder: string;
}

/**
 * Builds each target of a bundled plugin, side by side up to the cores. One that fails is no reason
 * to lose the others.
 *
 * @throws {HotplugError} With the code of what failed, if no target could be built for one reason
 * that they share; `cancelled` if the signal is aborted.
 */
export async function buildTargets(
  request: TargetsRequest,
): Promise<{ built: readonly BuiltTarget[]; failures: readonly TargetFailure[] }> {
  const { config: { targets, signal } } = request;
  const finished = finisher(request.config);
  const results = await settleAll(
    targets,
    navigator.hardwareConcurrency,
    (target) => buildTarget(request, target, finished),
  );
  throwIfCancelled(signal);
  const built: BuiltTarget[] = [];
  const failures: TargetFailure[] = [];
  for (const [index, result] of results.entries()) {
    const target = targets[index];
    if (result.status === "fulfilled") built.push(result.value);
    else if (target !== undefined) failures.push({ target, error: failureOf(result.reason) });
  }
  const [first] = failures;
  const shared = first !== undefined && failures.every(({ error }) => error === first.error);
  if (built.length === 0 && shared) throw first.error;
  return { built, failures };
}

async function buildTarget(
  request: TargetsRequest,
  target: Target,
  finished: (bundle: BuiltPlugin["bundle"]) => Promise<BuiltModule>,
): Promise<BuiltTarget> {
  const { config, plugin } = request;
  throwIfCancelled(config.signal);
  const defines = { ...config.define, ...platformDefines(target) };
  const module = await finished(await applyDefines(plugin.bundle, defines, config));
  if (config.mode === "module") return { target, module };
  const began = performance.now();
  const executable = await compile({ ...request, ...plugin, code: module.code, target });
  const durationMs = performance.now() - began;
  config.onProgress({ type: "compiled", target, bytes: executable.size, durationMs });
  return { target, module, executable };
}

/** Finishes each bundle once: most targets have the same. */
function finisher(config: BuildConfig): (bundle: BuiltPlugin["bundle"]) => Promise<BuiltModule> {
  const modules = new Map<string, Promise<BuiltModule>>();
  return (bundle) => {
    const known = modules.get(bundle.code);
    if (known !== undefined) return known;
    const module = finishModule(bundle, config);
    modules.set(bundle.code, module);
    return module;
  };
}

/** What nobody has foreseen is no target's failure. */
function failureOf(reason: unknown): HotplugError {
  if (reason instanceof HotplugError) return reason;
  throw reason;
}
