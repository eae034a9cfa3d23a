import { HotplugError } from "../../artifact/mod.ts";
import type { Location } from "./locate.ts";
import type { ResolvedManagerOptions } from "../settings/options.ts";
import type { ReadArtifact, ReadDemands } from "./read_artifact.ts";

/** What an artifact of the plugin must come with. */
export function demandsOf(options: ResolvedManagerOptions, name: string): ReadDemands {
  return { ...options, trust: options.ownTrust.get(name) ?? options.trust };
}

/** Refuses what requires a contract that the host does not declare. */
export function refuseContract(
  location: Location,
  artifact: ReadArtifact,
  contracts: readonly string[],
): void {
  const required = artifact.info?.requires?.contract;
  if (required === undefined || contracts.includes(required)) return;
  const declared = contracts.length > 0 ? contracts.join(", ") : "none";
  throw new HotplugError(
    "contract",
    `Cannot open "${location.file}": it requires contract "${required}", this host declares ` +
      `${declared}; build it for one of those, or declare it in option "contracts"`,
  );
}
