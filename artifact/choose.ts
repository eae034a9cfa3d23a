import type { ArtifactName } from "./name.ts";
import { compareScn } from "./scn.ts";

/**
 * Orders the artifacts of one plugin by preference: newest SCN first, an exact platform before
 * `any`, a module before an executable. A comparator for `sort`.
 *
 * @example
 * ```ts
 * import { comparePreference, parseArtifactName } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * const names = [
 *   "pricing_20261123014512_2_9_5_any_any.mjs",
 *   "pricing_20261123014512_2_9_5_linux_amd64.mjs",
 *   "pricing_20261123014513_2_9_5_any_any.mjs",
 * ].map(parseArtifactName);
 * const [first, second] = names.toSorted(comparePreference);
 * assertEquals([first?.scn, second?.os], [20261123014513, "linux"]);
 * ```
 */
export function comparePreference(
  a: Pick<ArtifactName, "scn" | "os" | "mode">,
  b: Pick<ArtifactName, "scn" | "os" | "mode">,
): number {
  return compareScn(b.scn, a.scn) || Number(a.os === "any") - Number(b.os === "any") ||
    Number(a.mode === "executable") - Number(b.mode === "executable");
}
