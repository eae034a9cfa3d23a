import type { Approvals } from "./approvals.ts";
import { admitReopened, refusalError } from "./admit.ts";
import { checkLeftovers } from "../artifacts/check_leftovers.ts";
import { demandsOf, refuseContract } from "../artifacts/demands.ts";
import type { Generation } from "../generations/generation.ts";
import { locate, type Location } from "../artifacts/locate.ts";
import { type ReadArtifact, readArtifact, refuseUnfinished } from "../artifacts/read_artifact.ts";
import { type AtHand, refuseConflict } from "./refuse_conflict.ts";
import { refuseOther } from "./refuse_other.ts";
import type { ResolvedManagerOptions } from "../settings/options.ts";
import { refuseUncompilable } from "../tiers/refuse_uncompilable.ts";
import { refuseUnstartable } from "../tiers/refuse_unstartable.ts";
import { contractsOf, settingsOf } from "../settings/plugin_settings.ts";

/** What is known of a version before it runs. */
export type Verified = Pick<Generation, "scn" | "permissions" | "sha256">;

/** What is asked of a version that is new. */
export interface CandidateDemands {
  /** The folder that no link may lead out of; that of the artifact itself by default. */
  readonly root?: string | undefined;
  /** Who says what needs an approval. */
  readonly approvals: Approvals;
  /** What runs meanwhile; undefined where nothing does. */
  readonly running: Verified | undefined;
}

/**
 * Checks an artifact as the load sequence does before anything of it runs: it is read, verified and
 * compiled, and what it is left to import, and whether this host can start it, is looked at. Its name is
 * admitted already.
 *
 * @throws {HotplugError} As {@linkcode PluginManager.open} does, up to there.
 */
export async function verifyCandidate(
  path: string,
  options: ResolvedManagerOptions,
  { root, approvals, running }: CandidateDemands,
): Promise<Verified> {
  const location = locationOf(path, root);
  return await verify(location, options, (artifact) => {
    approvals.check(location, artifact, running);
  });
}

/**
 * Checks an artifact as it is checked when it is reopened: initial SCN, clock and approvals keep it from
 * nothing, and its content must have that SHA-256.
 *
 * @throws {HotplugError} As {@linkcode PluginManager.open} does, up to where it runs.
 */
export async function verifyReopened(
  path: string,
  options: ResolvedManagerOptions,
  { sha256, root }: { readonly sha256: string; readonly root?: string | undefined },
): Promise<Verified> {
  const location = locationOf(path, root);
  const refusal = admitReopened(location.parts, options);
  if (refusal) throw refusalError(location.file, refusal);
  return await verify(location, options, (artifact) => refuseOther(location, artifact, sha256));
}

/**
 * Checks an artifact as what has the SCN of one that is at hand is checked.
 *
 * @throws {HotplugError} `conflict` where its content is other than that.
 */
export async function verifyTwin(
  path: string,
  options: ResolvedManagerOptions,
  { root, atHand }: { readonly root?: string | undefined; readonly atHand: AtHand },
): Promise<void> {
  const location = locationOf(path, root);
  refuseUnfinished(location);
  const artifact = await readArtifact(location, demandsOf(options, location.parts.name));
  refuseConflict(location, artifact, atHand);
}

function locationOf(path: string, root: string | undefined): Location {
  return { ...locate(path), ...(root !== undefined && { root }) };
}

async function verify(
  location: Location,
  options: ResolvedManagerOptions,
  judge: (artifact: ReadArtifact) => void,
): Promise<Verified> {
  const { file, parts } = location;
  const { name, scn, mode } = parts;
  refuseUnfinished(location);
  const artifact = await readArtifact(location, demandsOf(options, name));
  refuseContract(location.path, artifact.info, contractsOf(options, name));
  judge(artifact);
  if (mode === "module") {
    await checkLeftovers(artifact.content, artifact.info?.optional ?? [], file);
    const settings = settingsOf(options, parts, artifact.info);
    await refuseUnstartable(settings.tier, { location, artifact, options, settings });
    refuseUncompilable(artifact.content, file);
  }
  return { scn, permissions: artifact.info?.permissions ?? {}, sha256: artifact.sha256 };
}
