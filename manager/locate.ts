import { basename, dirname, fromFileUrl, join, resolve } from "@std/path";
import {
  type ArtifactName,
  HotplugError,
  lockFileName,
  parseArtifactName,
} from "../artifact/mod.ts";

/** Where an artifact lies, and what its name says. */
export interface Location {
  /** The absolute path of the artifact. */
  readonly path: string;
  /** Its folder. */
  readonly directory: string;
  /** Its file name. */
  readonly file: string;
  /** What the file name says. */
  readonly parts: ArtifactName;
}

/** Turns a path or file URL into an absolute path. */
export function toPath(pathOrUrl: string | URL): string {
  const text = String(pathOrUrl);
  // Two letters at least: `C:` is a drive.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1]?.toLowerCase();
  if (pathOrUrl instanceof URL || scheme === "file") {
    if (scheme === "file") return fromFileUrl(text);
    throw new HotplugError(
      "options",
      `Cannot open "${text}": only paths and file: URLs are read; download the artifact first`,
    );
  }
  return resolve(text);
}

/** Finds the artifact by its path; throws where its file name is no artifact's. */
export function locate(pathOrUrl: string | URL): Location {
  const path = toPath(pathOrUrl);
  const file = basename(path);
  return { path, directory: dirname(path), file, parts: parseArtifactName(file) };
}

/** The lock whose presence says that the artifact is not published to its end. */
export function lockPath(location: Location): string {
  return join(location.directory, lockFileName(location.parts.name, location.parts.scn));
}
