import {
  type ArtifactName,
  parseLockFileName,
  tryParseArtifactName,
  tryParseInfoFileName,
} from "../artifact/mod.ts";

/** What the name of a folder's entry says, as far as it matters for choosing. */
export type Entry =
  | { readonly kind: "artifact"; readonly parts: ArtifactName; readonly stem: string }
  | { readonly kind: "info"; readonly stem: string }
  | { readonly kind: "lock"; readonly build: string }
  | { readonly kind: "other" };

const OTHER: Entry = { kind: "other" };

/** Reads the name of a folder's entry. */
export function readEntry(file: string): Entry {
  const lock = parseLockFileName(file);
  if (lock) return { kind: "lock", build: buildOf(lock) };
  if (tryParseInfoFileName(file)) return { kind: "info", stem: file.slice(0, -".pinf".length) };
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
