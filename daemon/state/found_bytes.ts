import { statSync } from "node:fs";
import { HotplugError, sha256Stream } from "../../artifact/mod.ts";
import { locate } from "../../manager/artifacts/locate.ts";
import { readArtifact } from "../../manager/artifacts/read_artifact.ts";
import { readRegularPieces } from "../../manager/artifacts/read_file.ts";
import type { GenerationBytes } from "./artifact_store.ts";
import type { KeptGeneration } from "./state_record.ts";

/**
 * The bytes of a generation from where it was found; undefined where they are not there any more, or
 * others are, or more than what is read.
 *
 * Whether they are signed is asked when they are opened, as of all that is kept.
 */
export async function findBytes(
  { path, sha256 }: KeptGeneration,
  maxSize: number,
): Promise<GenerationBytes | undefined> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  try {
    const seen = (file: string, bytes: Uint8Array<ArrayBuffer>): void =>
      void files.set(file, bytes);
    const location = { ...locate(path), seen };
    const found = await readArtifact(location, { maxSize, requireInfo: false });
    if (found.sha256 !== sha256) return undefined;
    if (location.parts.mode === "executable") {
      // Of that one only what its info file says was read.
      const { sha256: is } = await sha256Stream(readRegularPieces(path));
      if (is !== found.info?.artifact.sha256) return undefined;
    }
    return { files, path, since: statSync(path).mtime };
  } catch (error) {
    if (error instanceof HotplugError || (error as { code?: unknown }).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}
