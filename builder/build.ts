import { mkdir, stat } from "node:fs/promises";
import { join } from "@std/path";
import {
  assertNoThenSymbol,
  DEFAULT_MAX_MODULE_BYTES,
  HotplugError,
  scanModule,
} from "../artifact/mod.ts";
import { quote } from "./_quote.ts";
import type { BuildResult } from "./build_result.ts";
import { type Bundle, bundle, type BundleRequest, SOURCE_FOLDER } from "./bundle.ts";
import { throwIfCancelled } from "./cancel.ts";
import { pluginName } from "./default_name.ts";
import { addDependencies } from "./dependencies.ts";
import { denoVersion } from "./deno_version.ts";
import { findEntry } from "./entry.ts";
import { findLeftovers } from "./leftovers.ts";
import { lockWouldChange, readPins } from "./lock_file.ts";
import { bundlePackage } from "./npm_bundle.ts";
import { type BuildConfig, type BuildOptions, resolveBuildOptions } from "./options.ts";
import { type Project, readProject } from "./project.ts";
import { checkDestination, publishFiles } from "./publish.ts";
import { reserveScn } from "./reserve.ts";
import { type UnpackedSource, unpackSource } from "./source.ts";
import { artifactNames, type BuiltModule, stage, type Staged } from "./stage.ts";
import { sweepDestination } from "./sweep.ts";
import { makeWorkFolder, sweepWorkFolders } from "./work_folder.ts";

/**
 * Builds a plugin: bundles its source into one module that stands alone, stamps it with an SCN and
 * publishes it with its info file and its source map.
 *
 * The same source and the same Deno give the same bytes, wherever and whenever they are built.
 * Nothing that lies in the destination is overwritten, and what a dead build left there is removed.
 *
 * @example
 * ```ts
 * import { build } from "@hotplug/hotplug/builder";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * try {
 *   await Deno.writeTextFile(`${folder}/greeting.ts`, "export const greet = () => 'hello';");
 *   const { name, artifacts } = await build({
 *     source: `${folder}/greeting.ts`,
 *     dest: `${folder}/plugins`,
 *   });
 *   assertEquals(name, "greeting");
 *   assertEquals(artifacts[0]?.info.exports, ["greet"]);
 * } finally {
 *   await Deno.remove(folder, { recursive: true });
 * }
 * ```
 *
 * @throws {HotplugError} With the code of what failed: `options`, `name`, `scn`, `target`, `source`,
 * `entry`, `check`, `bundle`, `lock`, `load`, `imports`, `future`, `reserve`, `conflict`, `publish`,
 * `cancelled`.
 */
export async function build(options: BuildOptions): Promise<BuildResult> {
  const began = performance.now();
  const config = resolveBuildOptions(options);
  throwIfCancelled(config.signal);
  await prepareDestination(config.dest);
  await sweepWorkFolders();
  const module = await buildModule(config);
  const { scn, artifacts } = await publish(module, config);
  for (const { path } of artifacts) config.onProgress({ type: "published", path });
  return { name: module.name, scn, artifacts, durationMs: performance.now() - began };
}

async function prepareDestination(dest: string): Promise<void> {
  try {
    await mkdir(dest, { recursive: true });
    if (!(await stat(dest)).isDirectory()) throw new Error("it is no folder");
    await sweepDestination(dest);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HotplugError(
      "publish",
      `Cannot publish into ${quote(dest)}: ${why}; give a folder that can be written to`,
      { cause },
    );
  }
}

async function buildModule(config: BuildConfig): Promise<BuiltModule> {
  const { onProgress, signal } = config;
  await using work = await makeWorkFolder();
  const source = await unpackSource({ ...config, root: join(work.path, SOURCE_FOLDER) });
  if (source.fetched !== undefined) onProgress({ type: "fetched", ...source.fetched });
  onProgress({ type: "unpacked", entries: source.entries, bytes: source.bytes });
  const project = await readProject(source.root);
  const name = pluginName(source, project, config.name);
  const entry = await findEntry(source, project, config.main);
  const sourceSha256 = await addDependencies(config.deps, source, project, config);
  const version = await denoVersion(config.deno);
  const began = performance.now();
  const request = { ...config, config: project.config, workFolder: work.path, entry };
  const made = await bundleSource(source, project, request);
  throwIfCancelled(signal);
  const bytes = checkSize(made);
  onProgress({ type: "bundled", bytes, durationMs: performance.now() - began });
  const scan = await scanModule(made.code);
  assertNoThenSymbol(scan.symbols);
  const { symbols, hooks } = scan;
  const leftovers = findLeftovers(made.code, scan, config.optional);
  return { name, version, bundle: made, symbols, hooks, sourceSha256, ...leftovers };
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

/** From here on a host may see what is made: the lock is held for no longer than this takes. */
async function publish(
  module: BuiltModule,
  config: BuildConfig,
): Promise<{ scn: number; artifacts: Staged["artifacts"] }> {
  const { name } = module;
  await using reservation = await reserveScn({ ...config, name });
  const { scn } = reservation;
  config.onProgress({ type: "reserved", scn });
  await checkDestination(config.dest, name, artifactNames(module, config, scn));
  const { artifacts, files } = stage(module, config, scn);
  await publishFiles(config.dest, files, config);
  return { scn, artifacts };
}

function checkSize(made: Bundle): number {
  const bytes = new TextEncoder().encode(made.code).byteLength;
  if (bytes <= DEFAULT_MAX_MODULE_BYTES) return bytes;
  throw new HotplugError(
    "bundle",
    `Cannot use the bundle: it has ${bytes} bytes, and a host loads at most ` +
      `${DEFAULT_MAX_MODULE_BYTES}; leave out what the plugin can read from a file`,
  );
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
