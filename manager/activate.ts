import { HotplugError } from "../artifact/mod.ts";
import type { PluginContext } from "../plugin/mod.ts";
import { type Patience, withDeadline } from "./deadline.ts";
import { describeError } from "./describe_error.ts";
import type { ModuleNamespace } from "./import_module.ts";
import { type PluginScope, runInScope } from "./plugin_scope.ts";

/**
 * Calls the module's `activate`, if it has one.
 *
 * @throws {HotplugError} `activation` where it throws, is no function, or does not end in time; the
 * signal's reason.
 */
export async function activate(
  module: ModuleNamespace,
  context: PluginContext,
  scope: PluginScope,
  patience: Pick<Patience, "milliseconds" | "signal">,
): Promise<void> {
  const hook = module.activate;
  if (hook === undefined) return;
  const label = `Cannot activate plugin "${context.name}" (SCN ${context.scn})`;
  if (typeof hook !== "function") {
    throw new HotplugError("activation", `${label}: its export "activate" is no function`);
  }
  const { milliseconds, signal } = patience;
  const late = new HotplugError("activation", `${label}: it did not end within ${milliseconds} ms`);
  try {
    const call = async (): Promise<void> =>
      void await runInScope(scope, hook as (context: PluginContext) => unknown, context);
    await withDeadline(call(), { ...patience, late: () => late });
  } catch (error) {
    if (error === late || (signal.aborted && error === signal.reason)) throw error;
    throw new HotplugError("activation", `${label}: it threw ${describeError(error)}`, {
      cause: error,
    });
  }
}
