import { HotplugError } from "../../artifact/mod.ts";
import type { Location } from "../artifacts/locate.ts";
import type { ReadArtifact } from "../artifacts/read_artifact.ts";

/**
 * Refuses a copy that is none: its content must have that SHA-256.
 *
 * @throws {HotplugError} `integrity` where it has another one.
 */
export function refuseOther(
  { file }: Location,
  { sha256 }: Pick<ReadArtifact, "sha256">,
  expected: string,
): void {
  if (sha256 === expected) return;
  throw new HotplugError(
    "integrity",
    `Cannot reopen "${file}": the SHA-256 of its content is ${sha256}, not ${expected} as it was ` +
      "when it was current; publish it again",
  );
}
