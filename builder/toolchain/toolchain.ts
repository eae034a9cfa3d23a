import { chmod, mkdir, rm, stat } from "node:fs/promises";
import { join } from "@std/path";
import { formatTarget, hostTarget, HotplugError, type Platform } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";
import { cached } from "./cached.ts";
import { throwIfCancelled } from "../cancel.ts";
import { denoVersion } from "./deno_version.ts";
import {
  configuredRegistry,
  fetchTarball,
  type NpmRegistry,
  packageVersions,
} from "./npm_registry.ts";
import type { BuildProgress } from "../progress.ts";
import { BUNDLES_FROM, canBundle, describeAvailable } from "./toolchain_versions.ts";
import { untarFile } from "./untar_file.ts";

/** A Deno to build with. */
export interface Toolchain {
  /** Its path, or its name on the search path. */
  readonly deno: string;
  /** Its version, as `2.9.5`. */
  readonly version: string;
}

/** What {@linkcode findToolchain} needs. */
export interface ToolchainRequest {
  /** A Deno at hand, as a path or a name on the search path; this one if nobody says. */
  readonly deno?: string | undefined;
  /** The version to build with; that of the Deno at hand if nobody says. */
  readonly denoVersion?: string | undefined;
  /** The folder for what is fetched. */
  readonly cacheDir: string;
  /** Where to fetch from; by npm's configuration if nobody says. */
  readonly registry?: NpmRegistry;
  /** Stops it. */
  readonly signal?: AbortSignal | undefined;
  /** Told what was fetched. */
  readonly onProgress?: (progress: BuildProgress) => void;
}

const SCOPE = "@deno";

/**
 * Finds the Deno to build with: the one at hand, or one of another version, which is fetched from
 * the npm registry once and kept in the cache.
 *
 * @throws {HotplugError} With code `toolchain`, if it can't be had or can't bundle.
 */
export async function findToolchain(request: ToolchainRequest): Promise<Toolchain> {
  const { denoVersion: wanted } = request;
  const deno = request.deno ?? Deno.execPath();
  if (wanted === undefined) return checkBundles({ deno, version: await denoVersion(deno) });
  if (request.deno !== undefined) {
    const version = await denoVersion(deno);
    if (version === wanted) return checkBundles({ deno, version });
    throw new HotplugError(
      "toolchain",
      `Cannot build with ${quote(deno)}: it is Deno ${version}, and ${wanted} is asked for; give ` +
        `one of the two only`,
    );
  }
  if (wanted === Deno.version.deno && !Deno.build.standalone) return { deno, version: wanted };
  return { deno: await fetchDeno(request, wanted), version: wanted };
}

function checkBundles(toolchain: Toolchain): Toolchain {
  if (canBundle(toolchain.version)) return toolchain;
  throw new HotplugError(
    "toolchain",
    `Cannot build with Deno ${toolchain.version}: it has no \`deno bundle\`, which came with ` +
      `${BUNDLES_FROM}; build with a newer one`,
  );
}

async function fetchDeno(request: ToolchainRequest, version: string): Promise<string> {
  const { cacheDir, signal } = request;
  const platform = hostTarget();
  const binary = platform.os === "windows" ? "deno.exe" : "deno";
  throwIfCancelled(signal);
  try {
    const folder = await cached({
      folder: cacheDir,
      name: `deno-${version}-${platform.os}-${platform.arch}`,
      make: (temporary) => install(request, version, platform, join(temporary, binary)),
      signal,
    });
    return join(folder, binary);
  } catch (cause) {
    throwIfCancelled(signal);
    if (cause instanceof HotplugError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HotplugError(
      "toolchain",
      `Cannot get Deno ${version} for ${formatTarget(platform)}: ${why}; check the network, the ` +
        `space in ${quote(cacheDir)} and npm's registry, or give a Deno at hand with --deno PATH`,
      { cause },
    );
  }
}

async function install(
  request: ToolchainRequest,
  version: string,
  platform: Platform,
  path: string,
): Promise<void> {
  const began = performance.now();
  const registry = request.registry ?? await configuredRegistry(SCOPE);
  const name = packageOf(platform);
  const versions = await packageVersions(registry, name, request.signal);
  const found = versions.get(version);
  if (found === undefined || !canBundle(version)) {
    throw missing(version, platform, registry, [...versions.keys()]);
  }
  const folder = join(path, "..");
  await mkdir(folder);
  const archive = join(folder, "package.tgz");
  const bytes = await fetchTarball(registry, found, archive, request.signal);
  const binary = platform.os === "windows" ? "package/deno.exe" : "package/deno";
  if (!await untarFile(archive, binary, path, 0o755)) {
    throw new Error(`${quote(found.tarball)} holds no ${quote(binary)}`);
  }
  await chmod(path, 0o755); // whatever the umask: a shared cache is for all who may look into it
  await rm(archive);
  if ((await stat(path)).size === 0) throw new Error(`${quote(binary)} is empty`);
  const durationMs = performance.now() - began;
  request.onProgress?.({ type: "fetched", what: `deno ${version}`, bytes, durationMs });
}

/** The package that brings Deno for a platform. */
function packageOf({ os, arch }: Platform): string {
  const system = os === "windows" ? "win32" : os;
  return `${SCOPE}/${system}-${arch === "amd64" ? "x64" : "arm64"}${
    os === "linux" ? "-glibc" : ""
  }`;
}

function missing(
  version: string,
  platform: Platform,
  registry: NpmRegistry,
  versions: readonly string[],
): HotplugError {
  const why = versions.includes(version)
    ? `it has no \`deno bundle\`, which came with ${BUNDLES_FROM}`
    : `${quote(registry.url)} has no such version`;
  return new HotplugError(
    "toolchain",
    `Cannot build with Deno ${version} for ${formatTarget(platform)}: ${why}; ` +
      describeAvailable(versions, version),
  );
}
