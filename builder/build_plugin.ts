import { join } from "@std/path";
import { HotplugError } from "../artifact/mod.ts";
import { quote } from "./quote.ts";
import { type Bundle, bundle, type BundleRequest, SOURCE_FOLDER } from "./bundle/bundle.ts";
import { throwIfCancelled } from "./cancel.ts";
import { pluginName } from "./project/default_name.ts";
import { addDependencies } from "./project/dependencies.ts";
import { findEntry } from "./project/entry.ts";
import { lockWouldChange, readPins } from "./project/lock_file.ts";
import { bundlePackage } from "./bundle/npm_bundle.ts";
import type { BuildConfig } from "./build_config.ts";
import { type Project, readProject } from "./project/project.ts";
import { type UnpackedSource, unpackSource } from "./sources/source.ts";
import type { Toolchain } from "./toolchain/toolchain.ts";

/** What all artifacts of a plugin say of it. */
export interface PluginFacts {
  /** Its name. */
  readonly name: string;
  /** The version of the Deno that built it. */
  readonly version: string;
  /** The digest of the source. */
  readonly sourceSha256: string;
}

/** A plugin that is bundled: what all its targets are made from. */
export interface BuiltPlugin extends PluginFacts {
  /** The module and its map, before what a target puts into them. */
  readonly bundle: Bundle;
}

/** Unpacks a source into the work folder and bundles it. */
export async function buildPlugin(
  config: BuildConfig,
  toolchain: Toolchain,
  workFolder: string,
): Promise<BuiltPlugin> {
  const { onProgress, signal } = config;
  const source = await unpackSource({ ...config, root: join(workFolder, SOURCE_FOLDER) });
  if (source.fetched !== undefined) onProgress({ type: "fetched", ...source.fetched });
  onProgress({ type: "unpacked", entries: source.entries, bytes: source.bytes });
  const project = await readProject(source.root);
  const name = pluginName(source, project, config.name);
  const entry = await findEntry(source, project, config.main);
  const sourceSha256 = await addDependencies(config.deps, source, project, config);
  const began = performance.now();
  const request = { ...config, ...toolchain, config: project.config, workFolder, entry };
  const made = await bundleSource(source, project, request);
  throwIfCancelled(signal);
  const bytes = new TextEncoder().encode(made.code).byteLength;
  onProgress({ type: "bundled", bytes, durationMs: performance.now() - began });
  return { name, version: toolchain.version, bundle: made, sourceSha256 };
}

async function bundleSource(
  source: UnpackedSource,
  project: Project,
  request: BundleRequest & Pick<BuildConfig, "deps" | "hooks">,
): Promise<Bundle> {
  const { root, file, specifier } = source;
  // With further sources the lock has more to hold than the plugin's own: compared by its pins.
  const compare = request.frozen && request.deps.size > 0;
  const pins = compare ? await readPins(root, project.settings) : "";
  const own = { ...request, frozen: request.frozen && !compare };
  const made = specifier === undefined
    ? bundle(own).catch((error: unknown) => {
      throw file === undefined ? error : withSiblingRemedy(error, file);
    })
    : bundlePackage(specifier, root, own);
  const result = await made;
  if (compare && await readPins(root, project.settings) !== pins) throw lockWouldChange("");
  return result;
}

/** A single file is built alone; who imports its neighbours has to say so. */
function withSiblingRemedy(error: unknown, file: string): unknown {
  const missing = /Cannot find module|Module not found/;
  if (!(error instanceof HotplugError) || !missing.test(error.message)) return error;
  return new HotplugError(
    error.code,
    `${error.message}\n${quote(file)} is built alone: to bring the files beside it along, ` +
      `pass its directory with --main ${file}, or an archive of it`,
    { cause: error },
  );
}
