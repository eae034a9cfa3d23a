import type { ArtifactContent, InfoFile, Scn, Target } from "../artifact/mod.ts";

/** One published artifact. */
export interface BuiltArtifact {
  /** Its path. */
  readonly path: string;
  /** The path of its info file. */
  readonly infoPath: string;
  /** The path of its source map; an executable has none, nor a module that was built without. */
  readonly sourceMapPath?: string;
  /** What it is for. */
  readonly target: Target;
  /** The size of the file, in bytes. */
  readonly size: number;
  /** The SHA-256 of the file, as lower-case hex. */
  readonly sha256: string;
  /** Size and SHA-256 of the module, before it was compressed or compiled into an executable. */
  readonly content: ArtifactContent;
  /** What its info file says. */
  readonly info: InfoFile;
}

/** What a build made. */
export interface BuildResult {
  /** The plugin's name. */
  readonly name: string;
  /** The SCN of all its artifacts. */
  readonly scn: Scn;
  /** One artifact a target, in the order of the targets; without those that failed. */
  readonly artifacts: readonly BuiltArtifact[];
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
}
