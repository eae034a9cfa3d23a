import { basename, dirname, fromFileUrl, join, resolve } from "@std/path";
import {
  type ArtifactName,
  HotplugError,
  lockFileName,
  parseArtifactName,
} from "../../artifact/mod.ts";

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
  /** The folder that no link may lead out of; that of the artifact itself by default. */
  readonly root?: string;
  /** Told of each of its files that was read, and of its bytes. */
  readonly seen?: (file: string, bytes: Uint8Array<ArrayBuffer>) => void;
}

/** Turns a path or file URL into an absolute path. */
export function toPath(pathOrUrl: string | URL): string {
  const text = String(pathOrUrl);
  if (/^file:/i.test(text)) return pathOfUrl(text);
  // With slashes: `C:` is a drive, and a folder may be named `eu:1`.
  if (!(pathOrUrl instanceof URL) && !/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) return resolve(text);
  throw new HotplugError(
    "options",
    `Cannot open "${text}": only paths and file: URLs are read; download the artifact first`,
  );
}

function pathOfUrl(url: string): string {
  try {
    return fromFileUrl(url);
  } catch (cause) {
    throw new HotplugError("options", `Cannot open "${url}": it names no file of this machine`, {
      cause,
    });
  }
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
