import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "@std/path";
import { create } from "tar";
import type { BuildConfig } from "../build_config.ts";
import { digestOfSources, type SourceDigests } from "../project/dependencies.ts";
import { type UnpackedSource, unpackSource } from "../sources/source.ts";
import type { SourceLocation } from "../sources/source_location.ts";

/** The name of the part that holds the source; a further one is `dep:` and its specifier. */
export const SOURCE_PART = "source";
/** What the name of a further source's part begins with. */
export const DEPENDENCY_PART = "dep:";
/** The name of the part that holds the options. */
export const OPTIONS_PART = "options";

/** The sources of a build, ready to be sent. */
export interface PackedSources {
  /** The parts of the request that hold them: none for a package. */
  readonly parts: readonly { readonly name: string; readonly file: File }[];
  /** The digest of them all. */
  readonly sha256: string;
}

/** Reads the sources of a build as a local build does, and packs each one. */
export async function packSources(
  config: BuildConfig,
  workFolder: string,
): Promise<PackedSources> {
  const unpack = (folder: string, source: SourceLocation) =>
    unpackSource({ ...config, source, root: join(workFolder, "sources", folder) });
  const source = await unpack("source", config.source);
  const { onProgress } = config;
  if (source.fetched !== undefined) onProgress({ type: "fetched", ...source.fetched });
  onProgress({ type: "unpacked", entries: source.entries, bytes: source.bytes });
  const digests: SourceDigests = new Map();
  const parts = source.kind === "package"
    ? []
    : [{ name: SOURCE_PART, file: await packSource(source) }];
  for (const [index, [specifier, location]] of [...config.deps].entries()) {
    const dependency = await unpack(`dep-${index}`, location);
    digests.set(specifier, dependency.sha256);
    parts.push({ name: `${DEPENDENCY_PART}${specifier}`, file: await packSource(dependency) });
  }
  return { parts, sha256: digestOfSources(source.sha256, digests) };
}

/** A single file goes as it is, a tree as an archive of one folder, in which it comes out again. */
async function packSource({ root, file, stem }: UnpackedSource): Promise<File> {
  if (file !== undefined) return new File([new Uint8Array(await readFile(join(root, file)))], file);
  const archive = `${root}.tar.gz`;
  const options = { cwd: dirname(root), gzip: true, portable: true, file: archive };
  await create(options, [basename(root)]);
  return new File([new Uint8Array(await readFile(archive))], `${stem}.tar.gz`);
}
