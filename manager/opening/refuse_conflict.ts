import { type ArtifactName, formatTarget, HotplugError, targetOf } from "../../artifact/mod.ts";
import type { Location } from "../artifacts/locate.ts";
import type { ReadArtifact } from "../artifacts/read_artifact.ts";

/** A version that is at hand. */
export interface AtHand {
  /** SHA-256 of its content, in hex. */
  readonly sha256: string;
  /** What its artifact's name says. */
  readonly artifact: ArtifactName;
}

/**
 * Refuses what has the name, SCN and target of a version at hand, and other content: whoever goes by the
 * SCN has to find one thing.
 *
 * @throws {HotplugError} `conflict` where it is so.
 */
export function refuseConflict(
  { file, parts }: Location,
  { sha256 }: Pick<ReadArtifact, "sha256">,
  { artifact, sha256: known }: AtHand,
): void {
  const isSame = artifact.scn === parts.scn &&
    formatTarget(targetOf(artifact)) === formatTarget(targetOf(parts));
  if (!isSame || sha256 === known) return;
  throw new HotplugError(
    "conflict",
    `Not opened "${file}": SCN ${parts.scn} is loaded with other content (SHA-256 ${known}, this ` +
      `one ${sha256}); the loaded one stays, build again`,
  );
}
