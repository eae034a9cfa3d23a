import { mkdir, stat } from "node:fs/promises";
import { HotplugError } from "../artifact/mod.ts";
import { quote } from "./quote.ts";
import { type BuildConfig, resolveBuildOptions } from "./build_config.ts";
import type { PluginFacts } from "./build_plugin.ts";
import type { BuildResult } from "./build_result.ts";
import type { BuiltTarget } from "./build_targets.ts";
import { throwIfCancelled } from "./cancel.ts";
import { makeTargets } from "./make_targets.ts";
import type { BuildOptions } from "./options.ts";
import { checkDestination, publishFiles } from "./files/publish.ts";
import { reserveScn } from "./files/reserve.ts";
import { artifactNames, stage, type Staged } from "./stage.ts";
import { sweepDestination } from "./files/sweep.ts";
import { TargetsFailedError } from "./target_failure.ts";
import { makeWorkFolder, sweepWorkFolders } from "./files/work_folder.ts";

/**
 * Builds a plugin: bundles its source into one module that stands alone, or compiles that into an
 * executable for each target, stamps it with an SCN and publishes it with its info file and its
 * source map.
 *
 * The same source and the same Deno give the same bytes, wherever and whenever they are built.
 * Nothing that lies in the destination is overwritten, and what a dead build left there is removed.
 *
 * @example
 * ```ts
 * import { build } from "@hotplug/hotplug/builder";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * try {
 *   await Deno.writeTextFile(`${folder}/greeting.ts`, "export const greet = () => 'hello';");
 *   const { name, artifacts } = await build({
 *     source: `${folder}/greeting.ts`,
 *     dest: `${folder}/plugins`,
 *   });
 *   assertEquals(name, "greeting");
 *   assertEquals(artifacts[0]?.info.exports, ["greet"]);
 * } finally {
 *   await Deno.remove(folder, { recursive: true });
 * }
 * ```
 *
 * @throws {HotplugError} With the code of what failed: `options`, `name`, `scn`, `target`, `source`,
 * `key`, `entry`, `check`, `bundle`, `lock`, `load`, `imports`, `future`, `reserve`, `conflict`, `publish`,
 * `toolchain`, `compile`, `cancelled`, `io`; from a build service also `remote`, `unauthorized`,
 * `busy`, `limit`, `deadline`, `integrity`, `closed`.
 * @throws {TargetsFailedError} With code `compile`, if some targets failed and others did not, or each
 * for a reason of its own.
 */
export async function build(options: BuildOptions): Promise<BuildResult> {
  const began = performance.now();
  const config = resolveBuildOptions(options);
  throwIfCancelled(config.signal);
  await prepareDestination(config.dest);
  await sweepWorkFolders();
  await using work = await makeWorkFolder();
  const { plugin, built, failures } = await makeTargets(config, work.path);
  const { scn, artifacts } = await publish(plugin, built, config);
  for (const { path } of artifacts) config.onProgress({ type: "published", path });
  const durationMs = performance.now() - began;
  const result: BuildResult = { name: plugin.name, scn, artifacts, durationMs };
  if (failures.length > 0) throw new TargetsFailedError(failures, result);
  return result;
}

async function prepareDestination(dest: string): Promise<void> {
  try {
    await mkdir(dest, { recursive: true });
    if (!(await stat(dest)).isDirectory()) throw new Error("it is no folder");
    await sweepDestination(dest);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HotplugError(
      "publish",
      `Cannot publish into ${quote(dest)}: ${why}; give a folder that can be written to`,
      { cause },
    );
  }
}

/** From here on a host may see what is made: the lock is held for no longer than this takes. */
async function publish(
  plugin: PluginFacts,
  built: readonly BuiltTarget[],
  config: BuildConfig,
): Promise<{ scn: number; artifacts: Staged["artifacts"] }> {
  const { name } = plugin;
  await using reservation = await reserveScn({ ...config, name });
  const { scn } = reservation;
  config.onProgress({ type: "reserved", scn });
  await checkDestination(config.dest, name, artifactNames(plugin, built, config, scn));
  const { artifacts, files } = await stage(plugin, built, config, scn);
  await publishFiles(config.dest, files, config);
  return { scn, artifacts };
}
