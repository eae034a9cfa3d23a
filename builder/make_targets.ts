import type { BuildConfig } from "./build_config.ts";
import { buildPlugin } from "./build_plugin.ts";
import { buildRemotely } from "./remote/build_remotely.ts";
import { buildTargets } from "./build_targets.ts";
import type { MadeTargets } from "./made_targets.ts";
import { TargetsFailedError } from "./target_failure.ts";
import { findToolchain } from "./toolchain/toolchain.ts";

/**
 * Makes the targets of a build in its work folder: here, or at a build service.
 *
 * @throws {TargetsFailedError} With code `compile`, if each target failed, and not all for one reason.
 */
export async function makeTargets(config: BuildConfig, workFolder: string): Promise<MadeTargets> {
  const { remote } = config;
  const made = remote === undefined
    ? await makeHere(config, workFolder)
    : await buildRemotely({ ...config, remote }, workFolder);
  if (made.built.length === 0) throw new TargetsFailedError(made.failures);
  return made;
}

async function makeHere(config: BuildConfig, workFolder: string): Promise<MadeTargets> {
  const toolchain = await findToolchain(config);
  const plugin = await buildPlugin(config, toolchain, workFolder);
  return { plugin, ...await buildTargets({ config, toolchain, plugin, workFolder }) };
}
