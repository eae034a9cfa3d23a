import { checkLeftovers } from "./check_leftovers.ts";
import { locate } from "./locate.ts";
import { demandsOf, refuseContract } from "./demands.ts";
import type { ResolvedManagerOptions } from "../settings/options.ts";
import { contractsOf } from "../settings/plugin_settings.ts";
import { readArtifact, refuseUnfinished } from "./read_artifact.ts";

/**
 * Checks an artifact as the load sequence does before anything of it runs: it is read, verified, and
 * what it is left to import is looked at. No link may lead out of the root, or else of its folder.
 *
 * @throws {HotplugError} As {@linkcode PluginManager.open} does, up to there.
 */
export async function verifyCandidate(
  path: string,
  options: ResolvedManagerOptions,
  root?: string,
): Promise<void> {
  const location = { ...locate(path), ...(root !== undefined && { root }) };
  const { name, mode } = location.parts;
  refuseUnfinished(location);
  const artifact = await readArtifact(location, demandsOf(options, name));
  refuseContract(location, artifact, contractsOf(options, name));
  if (mode === "module") {
    await checkLeftovers(artifact.content, artifact.info?.optional ?? [], location.file);
  }
}
