import { isDeepStrictEqual } from "node:util";
import type { ResolvedPluginSettings } from "./plugin_settings.ts";

/** Whether a version would run otherwise than it does if it were loaded with the settings of now. */
export function runsOtherwise(
  running: ResolvedPluginSettings,
  settingsNow: () => ResolvedPluginSettings,
): boolean {
  try {
    return !isDeepStrictEqual(whatRuns(running), whatRuns(settingsNow()));
  } catch {
    // A host's own choice of a tier has thrown: the next version is refused with that.
    return true;
  }
}

/** Without what decides on a load only. */
function whatRuns(
  { contracts: _contracts, preflight: _preflight, ...rest }: ResolvedPluginSettings,
): unknown {
  return rest;
}
