import { basename } from "@std/path";
import { HotplugError, type PublicKey } from "../../artifact/mod.ts";
import { verifyAttestation } from "../../artifact/verify_info.ts";
import type { ReadArtifact } from "./read_artifact.ts";

/**
 * Refuses what was read before and that none of the keys has signed: they may be others than then, or
 * there were none.
 *
 * @throws {HotplugError} `signature`.
 */
export async function refuseUntrusted(
  { path, sha256, info }: Pick<ReadArtifact, "sha256" | "info"> & { readonly path: string },
  trust: readonly PublicKey[],
): Promise<void> {
  const file = basename(path);
  if (!info?.attestation) throw new HotplugError("signature", `"${file}" is not signed`);
  const { info: signed } = await verifyAttestation(info.attestation, trust, file);
  // Where no signature was asked for, what stands beside it was believed.
  if (signed.artifact.file === file && signed.content.sha256 === sha256) return;
  throw new HotplugError("signature", `What was signed of "${file}" is something else`);
}
