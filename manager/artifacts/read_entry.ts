import { type ArtifactName, parseLockFileName, tryParseArtifactName } from "../../artifact/mod.ts";

/** What the name of a folder's entry says, as far as it matters for choosing. */
export type Entry =
  | { readonly kind: "artifact"; readonly parts: ArtifactName; readonly stem: string }
  | { readonly kind: "info"; readonly stem: string }
  | { readonly kind: "lock"; readonly build: string }
  | { readonly kind: "other" };

const INFO = ".pinf";
const OTHER: Entry = { kind: "other" };

/** Reads the name of a folder's entry. */
export function readEntry(file: string): Entry {
  // Thousands of names are read at a start: each no more than it must be.
  if (file.startsWith(".")) {
    const lock = parseLockFileName(file);
    return lock ? { kind: "lock", build: buildOf(lock) } : OTHER;
  }
  // Of what has an artifact's stem; what else it says does not matter.
  if (file.endsWith(INFO)) return { kind: "info", stem: file.slice(0, -INFO.length) };
  const parts = tryParseArtifactName(file);
  return parts ? { kind: "artifact", parts, stem: stemOf(file, parts) } : OTHER;
}

/** The build that an artifact is of, as the lock of that build is told by. */
export function buildOf({ name, scn }: Pick<ArtifactName, "name" | "scn">): string {
  return `${name}_${scn}`;
}

function stemOf(file: string, parts: ArtifactName): string {
  const extension = parts.mode === "module" ? ".mjs" : parts.os === "windows" ? ".exe" : "";
  return file.slice(0, file.length - extension.length - (parts.compression === "gzip" ? 3 : 0));
}
