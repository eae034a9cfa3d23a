import { join } from "@std/path";
import { infoFileName } from "../../artifact/mod.ts";
import type { Candidate } from "../../manager/mod.ts";
import { type FileMark, linkMarkOf, markOf } from "../../manager/opening/settle.ts";

/** What tells whether an artifact or its info file was touched. */
export interface ArtifactMarks {
  /** The artifact's mark. */
  readonly artifact: FileMark;
  /** The info file's; undefined where there is none. */
  readonly info: FileMark | undefined;
  /** Both as one text: another text, another state. */
  readonly text: string;
  /** Which files they are, whatever is in them. */
  readonly files: string;
  /** The one of both that was touched last. */
  readonly latest: FileMark;
}

/**
 * Reads the marks of an artifact and its info file; undefined where the artifact is gone. Of a link that
 * leads nowhere they are its own: it is there, and whoever opens it tells what is the matter.
 */
export async function marksOf(candidate: Candidate): Promise<ArtifactMarks | undefined> {
  const { directory, file, parts } = candidate;
  const path = join(directory, file);
  const [artifact, info] = await Promise.all([
    markOf(path).then((mark) => mark ?? linkMarkOf(path)),
    markOf(join(directory, infoFileName(parts))),
  ]);
  if (!artifact) return undefined;
  const both = [artifact, info];
  return {
    artifact,
    info,
    text: both.map((mark) => mark ? `${mark.inode}:${mark.size}:${mark.time}` : "-").join("|"),
    files: both.map((mark) => mark?.inode ?? "-").join("|"),
    latest: info && info.time > artifact.time ? info : artifact,
  };
}
