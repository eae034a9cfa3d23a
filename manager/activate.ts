import { HotplugError } from "../artifact/mod.ts";
import type { PluginContext } from "../plugin/mod.ts";
import { withDeadline } from "./deadline.ts";
import { describeError } from "./describe_error.ts";
import type { ModuleNamespace } from "./import_module.ts";
import { type PluginScope, runInScope } from "./plugin_scope.ts";

/**
 * Calls the module's `activate`, if it has one.
 *
 * @throws {HotplugError} `activation` where it throws, is no function, or does not end in time.
 */
export async function activate(
  module: ModuleNamespace,
  context: PluginContext,
  scope: PluginScope,
  deadline: number,
): Promise<void> {
  const hook = module.activate;
  if (hook === undefined) return;
  const label = `Cannot activate plugin "${context.name}" (SCN ${context.scn})`;
  if (typeof hook !== "function") {
    throw new HotplugError("activation", `${label}: its export "activate" is no function`);
  }
  try {
    const call = async (): Promise<void> => void await hook(context);
    await withDeadline(
      runInScope(scope, call),
      deadline,
      () => new HotplugError("activation", `${label}: it did not end within ${deadline} ms`),
    );
  } catch (error) {
    if (error instanceof HotplugError && error.code === "activation") throw error;
    throw new HotplugError("activation", `${label}: it threw ${describeError(error)}`, {
      cause: error,
    });
  }
}
