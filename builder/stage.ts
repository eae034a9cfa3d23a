import { join } from "@std/path";
import {
  type ArtifactContent,
  type ArtifactName,
  formatArtifactName,
  formatInfo,
  type InfoFile,
  infoFileName,
  type Scn,
  sha256,
  signInfo,
  sourceMapFileName,
} from "../artifact/mod.ts";
import project from "../deno.json" with { type: "json" };
import type { PluginFacts } from "./build_plugin.ts";
import type { BuiltArtifact } from "./build_result.ts";
import type { BuiltTarget } from "./build_targets.ts";
import type { BuiltModule } from "./built_module.ts";
import { gzip } from "./gzip.ts";
import type { BuildConfig } from "./build_config.ts";
import type { PublishedFile } from "./files/publish.ts";

/** The artifacts of a build before they are published, and the files in the order to publish. */
export interface Staged {
  /** What will have been built. */
  readonly artifacts: readonly BuiltArtifact[];
  /** Source maps, then artifacts, then info files: what tells a host to load comes last. */
  readonly files: readonly PublishedFile[];
}

/** A module as bytes: the same for all targets that share it. */
interface PackedModule {
  readonly bytes: Uint8Array;
  readonly file: ArtifactContent;
  readonly content: ArtifactContent;
  readonly map: { readonly bytes: Uint8Array; readonly sha256: string } | undefined;
}

interface StagedTarget {
  readonly artifact: BuiltArtifact;
  readonly map: PublishedFile | undefined;
  readonly file: PublishedFile;
  readonly info: PublishedFile;
}

/** The names that the artifacts of a build get. */
export function artifactNames(
  { name, version }: PluginFacts,
  built: readonly BuiltTarget[],
  { gzip: packed, mode }: BuildConfig,
  scn: Scn,
): ArtifactName[] {
  const compression = packed ? "gzip" : "none";
  return built.map(({ target }) => ({ name, scn, version, ...target, mode, compression }));
}

/** Makes all that a build publishes, signed if it is to be. */
export async function stage(
  plugin: PluginFacts,
  built: readonly BuiltTarget[],
  config: BuildConfig,
  scn: Scn,
  now: Date = new Date(),
): Promise<Staged> {
  const packs = new Map<BuiltModule, PackedModule>();
  const names = artifactNames(plugin, built, config, scn);
  const staged: StagedTarget[] = [];
  for (const [index, each] of built.entries()) {
    const packed = packs.get(each.module) ?? pack(each.module, config.gzip);
    packs.set(each.module, packed);
    const info = infoOf(plugin, each, packed, names[index] as ArtifactName, config, now);
    const signed = config.sign ? await signInfo(info, config.sign) : info;
    staged.push(stageTarget(each, packed, signed, config));
  }
  return {
    artifacts: staged.map(({ artifact }) => artifact),
    files: [
      ...staged.flatMap(({ map }) => map === undefined ? [] : [map]),
      ...staged.map(({ file }) => file),
      ...staged.map(({ info }) => info),
    ],
  };
}

function pack(module: BuiltModule, packed: boolean): PackedModule {
  const encoder = new TextEncoder();
  const code = encoder.encode(module.code);
  const content = { size: code.byteLength, sha256: sha256(code) };
  const bytes = packed ? gzip(code) : code;
  const file = packed ? { size: bytes.byteLength, sha256: sha256(bytes) } : content;
  const map = module.map === undefined ? undefined : encoder.encode(module.map);
  return { bytes, file, content, map: map && { bytes: map, sha256: sha256(map) } };
}

function stageTarget(
  { target, executable }: BuiltTarget,
  { bytes, map }: PackedModule,
  info: InfoFile,
  { dest, gzip: packed }: BuildConfig,
): StagedTarget {
  const { artifact: { file, size, sha256 }, sourceMap, content } = info;
  const infoFile = infoFileName({ ...info, ...info.runtime });
  return {
    artifact: {
      path: join(dest, file),
      infoPath: join(dest, infoFile),
      ...(sourceMap && { sourceMapPath: join(dest, sourceMap.file) }),
      target,
      size,
      sha256,
      content,
      info,
    },
    map: sourceMap && map && { file: sourceMap.file, content: map.bytes },
    file: {
      file,
      content: executable?.path ?? bytes,
      executable: executable !== undefined && !packed,
    },
    info: { file: infoFile, content: new TextEncoder().encode(formatInfo(info)) },
  };
}

function infoOf(
  plugin: PluginFacts,
  { module, executable }: BuiltTarget,
  packed: PackedModule,
  name: ArtifactName,
  { contract, permissions }: BuildConfig,
  now: Date,
): InfoFile {
  const { version, os, arch, compression } = name;
  const { size, sha256 } = executable ?? packed.file;
  // No map lies in an executable, and none beside it: nothing would read it.
  const map = executable === undefined ? packed.map : undefined;
  return {
    format: 1,
    name: name.name,
    scn: name.scn,
    mode: name.mode,
    runtime: { version, os, arch },
    artifact: { file: formatArtifactName(name), size, sha256, compression },
    content: packed.content,
    ...(map && { sourceMap: { file: sourceMapFileName(name), sha256: map.sha256 } }),
    exports: module.symbols,
    hooks: module.hooks,
    imports: module.imports,
    optional: module.optional,
    ...(contract === undefined ? {} : { requires: { contract } }),
    ...(permissions === undefined ? {} : { permissions }),
    source: { sha256: plugin.sourceSha256 },
    builtAt: now.toISOString(),
    builtWith: `hotplug/${project.version} deno/${version}`,
  };
}
