import { basename } from "@std/path";
import { HotplugError, type InfoFile } from "../../artifact/mod.ts";
import type { ResolvedManagerOptions } from "../settings/options.ts";
import type { ReadDemands } from "./read_artifact.ts";

/** What an artifact of the plugin must come with. */
export function demandsOf(options: ResolvedManagerOptions, name: string): ReadDemands {
  return { ...options, trust: options.ownTrust.get(name) ?? options.trust };
}

/** Whether the contract that an artifact requires, if it does, is among these. */
export function isFulfilled(info: InfoFile | undefined, contracts: readonly string[]): boolean {
  const required = requiredBy(info);
  return required === undefined || contracts.includes(required);
}

function requiredBy(info: InfoFile | undefined): string | undefined {
  return info?.requires?.contract;
}

/** Refuses what requires a contract that the host does not declare. */
export function refuseContract(
  path: string,
  info: InfoFile | undefined,
  contracts: readonly string[],
): void {
  if (isFulfilled(info, contracts)) return;
  const declared = contracts.length > 0 ? contracts.join(", ") : "none";
  throw new HotplugError(
    "contract",
    `Cannot open "${basename(path)}": it requires contract "${
      requiredBy(info)
    }", this host declares ` +
      `${declared}; build it for one of those, or declare it in option "contracts"`,
  );
}
