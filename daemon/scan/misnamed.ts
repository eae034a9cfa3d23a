import { ArtifactNameError, parseArtifactName } from "../../artifact/mod.ts";
import { isTemporaryName } from "./temporary_name.ts";

/** What somebody took for an SCN, in what somebody took for an artifact. */
const MEANT = /_\d{14}_.*\.(?:mjs|exe)(?:\.gz)?$/i;

/**
 * Why a file that was meant to be an artifact is none, by its name: such a one is passed over as all that is
 * named otherwise. Undefined where nothing is the matter with it.
 */
export function whyMisnamed(file: string): string | undefined {
  if (!MEANT.test(file) || isTemporaryName(file)) return undefined;
  try {
    parseArtifactName(file);
    return undefined;
  } catch (error) {
    if (!(error instanceof ArtifactNameError)) throw error;
    return error.message;
  }
}
