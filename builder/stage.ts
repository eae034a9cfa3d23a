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
  sourceMapFileName,
  type Target,
} from "../artifact/mod.ts";
import project from "../deno.json" with { type: "json" };
import type { Bundle } from "./bundle.ts";
import type { BuiltArtifact } from "./build_result.ts";
import { gzip } from "./gzip.ts";
import type { Leftovers } from "./leftovers.ts";
import type { BuildConfig } from "./options.ts";
import type { PublishedFile } from "./publish.ts";

/** What is known of a module once it is bundled: the same for all its targets. */
export interface BuiltModule extends Leftovers {
  /** The plugin's name. */
  readonly name: string;
  /** The version of the Deno that built it. */
  readonly version: string;
  /** The module and its map. */
  readonly bundle: Bundle;
  /** Its exports that are no hooks. */
  readonly symbols: readonly string[];
  /** Its exports that hotplug calls. */
  readonly hooks: readonly string[];
  /** The digest of the source. */
  readonly sourceSha256: string;
}

/** The artifacts of a build before they are published, and the files in the order to publish. */
export interface Staged {
  /** What will have been built. */
  readonly artifacts: readonly BuiltArtifact[];
  /** Source maps, then artifacts, then info files: what tells a host to load comes last. */
  readonly files: readonly PublishedFile[];
}

/** The names that the artifacts of a build get. */
export function artifactNames(module: BuiltModule, config: BuildConfig, scn: Scn): ArtifactName[] {
  const { name, version } = module;
  const compression = config.gzip ? "gzip" : "none";
  return config.targets.map((target) => ({
    name,
    scn,
    version,
    ...target,
    mode: "module",
    compression,
  }));
}

/** Makes all bytes that a build publishes. */
export function stage(
  module: BuiltModule,
  config: BuildConfig,
  scn: Scn,
  now: Date = new Date(),
): Staged {
  const encoder = new TextEncoder();
  const [code, map] = [encoder.encode(module.bundle.code), encoder.encode(module.bundle.map)];
  const content = { size: code.byteLength, sha256: sha256(code) };
  const bytes = config.gzip ? gzip(code) : code;
  const file = { size: bytes.byteLength, sha256: config.gzip ? sha256(bytes) : content.sha256 };
  const mapSha256 = sha256(map);
  const names = artifactNames(module, config, scn);
  const artifacts = names.map((name, index): BuiltArtifact => {
    const sourceMap = { file: sourceMapFileName(name), sha256: mapSha256 };
    const info = infoOf(module, config, name, { file, content, sourceMap, now });
    return {
      path: join(config.dest, info.artifact.file),
      infoPath: join(config.dest, infoFileName(name)),
      sourceMapPath: join(config.dest, sourceMap.file),
      target: config.targets[index] as Target,
      ...file,
      content,
      info,
    };
  });
  return {
    artifacts,
    files: [
      ...names.map((name) => ({ file: sourceMapFileName(name), bytes: map })),
      ...names.map((name) => ({ file: formatArtifactName(name), bytes })),
      ...artifacts.map(({ info }, index) => ({
        file: infoFileName(names[index] as ArtifactName),
        bytes: encoder.encode(formatInfo(info)),
      })),
    ],
  };
}

function infoOf(
  module: BuiltModule,
  config: BuildConfig,
  name: ArtifactName,
  made: {
    readonly file: ArtifactContent;
    readonly content: ArtifactContent;
    readonly sourceMap: NonNullable<InfoFile["sourceMap"]>;
    readonly now: Date;
  },
): InfoFile {
  const { version, os, arch } = name;
  const { contract, permissions } = config;
  return {
    format: 1,
    name: name.name,
    scn: name.scn,
    mode: name.mode,
    runtime: { version, os, arch },
    artifact: { file: formatArtifactName(name), ...made.file, compression: name.compression },
    content: made.content,
    sourceMap: made.sourceMap,
    exports: module.symbols,
    hooks: module.hooks,
    imports: module.imports,
    optional: module.optional,
    ...(contract === undefined ? {} : { requires: { contract } }),
    ...(permissions === undefined ? {} : { permissions }),
    source: { sha256: module.sourceSha256 },
    builtAt: made.now.toISOString(),
    builtWith: `hotplug/${project.version} deno/${version}`,
  };
}
