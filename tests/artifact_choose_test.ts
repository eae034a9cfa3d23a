import { assertEquals } from "@std/assert";
import { comparePreference, parseArtifactName } from "../artifact/mod.ts";

Deno.test("newest first, then the exact platform, then the module", () => {
  const preferred = [
    "pricing_20261123014513_2_9_5_any_any.mjs",
    "pricing_20261123014512_2_9_5_linux_amd64.mjs.gz",
    "pricing_20261123014512_2_10_0_linux_amd64",
    "pricing_20261123014512_2_9_5_any_any.mjs",
    "pricing_20251231235959_2_9_5_linux_amd64.mjs",
  ].map(parseArtifactName);
  for (let turn = 0; turn < preferred.length; turn++) {
    const turned = [...preferred.slice(turn), ...preferred.slice(0, turn)];
    assertEquals(turned.toSorted(comparePreference), preferred);
    assertEquals(turned.toReversed().toSorted(comparePreference), preferred);
  }
});
