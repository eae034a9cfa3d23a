import { resolve } from "@std/path";
import {
  assertPluginName,
  DEFAULT_FUTURE_TOLERANCE_MS,
  formatVersion,
  HotplugError,
  isScn,
  type Mode,
  parseSigningKey,
  parseVersion,
  type Permissions,
  type Scn,
  type SigningKey,
  type Target,
} from "../artifact/mod.ts";
import { type BuildArgs, checkBuildArgs } from "./build_args.ts";
import { cacheFolder } from "./toolchain/cache_folder.ts";
import { checkEnv } from "./child_env.ts";
import { checkDefines, type Defines } from "./define.ts";
import type { DenortMirror } from "./toolchain/denort.ts";
import type { Dependencies } from "./project/dependencies.ts";
import { describeProgress } from "./describe_progress.ts";
import { type ImportHosts, importHosts } from "./bundle/import_hosts.ts";
import type { BuildLogger } from "./logger.ts";
import type { BuildOptions } from "./options.ts";
import { checkPermissions } from "./permission_flags.ts";
import type { BuildProgress } from "./progress.ts";
import { type RemoteConfig, resolveRemote } from "./remote_config.ts";
import { DEFAULT_SOURCE_LIMITS, type SourceLimits } from "./sources/source_limits.ts";
import { expandHome, parseSourceLocation, type SourceLocation } from "./sources/source_location.ts";
import { resolveTargets } from "./targets.ts";

/** Options, checked and filled: nothing below reads the raw ones. */
export interface BuildConfig {
  readonly source: SourceLocation;
  readonly dest: string;
  readonly name: string | undefined;
  readonly main: string | undefined;
  readonly mode: Mode;
  readonly targets: readonly Target[];
  readonly gzip: boolean;
  readonly scn: Scn | undefined;
  readonly check: boolean;
  readonly optional: readonly string[];
  readonly contract: string | undefined;
  readonly permissions: Permissions | undefined;
  readonly sign: SigningKey | undefined;
  readonly signal: AbortSignal | undefined;
  readonly futureTolerance: number;
  readonly deps: Dependencies;
  readonly hosts: ImportHosts;
  readonly frozen: boolean;
  readonly hooks: boolean;
  readonly limits: Required<SourceLimits>;
  readonly define: Defines;
  readonly minify: boolean;
  readonly sourcemap: boolean;
  readonly deno: string | undefined;
  readonly denoVersion: string | undefined;
  readonly denortMirror: DenortMirror | undefined;
  readonly cacheDir: string;
  readonly remote: RemoteConfig | undefined;
  readonly buildArgs: BuildArgs;
  readonly env: Readonly<Record<string, string>>;
  readonly logger: BuildLogger;
  readonly onProgress: (progress: BuildProgress) => void;
}

const SILENT: BuildLogger = { debug() {}, info() {}, warn() {} };

const SPECIFIER = /^(?:@[a-z0-9][a-z0-9_-]*\/)?[a-z0-9][a-z0-9._-]*$/i;

/** Checks options, fills what is missing and makes paths absolute. */
export function resolveBuildOptions(options: BuildOptions): BuildConfig {
  const { name, main, scn, contract, permissions, signal } = options;
  const logger = options.logger ?? SILENT;
  const mode = resolveMode(options.mode ?? "module");
  if (name !== undefined) assertPluginName(name);
  if (scn !== undefined && !isScn(scn)) {
    throw new HotplugError("scn", `Cannot build with the SCN ${scn}: it takes 14 digits, in UTC`);
  }
  if (contract !== undefined) required("contract", contract);
  const targets = resolveTargets(options.targets ?? [], mode);
  const optional = [...options.optional ?? []];
  for (const each of optional) required("optional", each);
  return {
    source: parseSourceLocation(required("source", String(options.source))),
    dest: resolve(expandHome(required("dest", options.dest))),
    name,
    main: main === undefined ? undefined : required("main", main),
    mode,
    targets,
    gzip: options.gzip ?? false,
    scn,
    check: options.check ?? true,
    optional,
    contract,
    permissions: permissions && checkPermissions(permissions),
    sign: options.sign === undefined ? undefined : resolveSigningKey(options.sign),
    signal,
    futureTolerance: atLeast(
      "futureTolerance",
      options.futureTolerance ?? DEFAULT_FUTURE_TOLERANCE_MS,
      0,
    ),
    deps: resolveDependencies(options.deps ?? {}),
    hosts: importHosts(options.allowImport ?? []),
    frozen: options.frozen ?? false,
    hooks: options.hooks ?? false,
    limits: resolveLimits(options.limits ?? {}),
    define: checkDefines(options.define ?? {}),
    minify: options.minify ?? true,
    sourcemap: options.sourcemap ?? true,
    deno: options.deno === undefined ? undefined : required("deno", options.deno),
    denoVersion: resolveVersion(options.denoVersion),
    denortMirror: resolveMirror(options.denortMirror),
    cacheDir: resolve(expandHome(required("cacheDir", options.cacheDir ?? cacheFolder()))),
    remote: resolveRemote(options, mode, targets),
    buildArgs: checkBuildArgs(options.buildArgs ?? [], mode),
    env: checkEnv(options.env ?? {}),
    logger,
    onProgress(progress) {
      logger.info(describeProgress(progress));
      options.onProgress?.(progress);
    },
  };
}

function resolveSigningKey(key: NonNullable<BuildOptions["sign"]>): SigningKey {
  return typeof key === "object" && key !== null && "sign" in key ? key : parseSigningKey(key);
}

function resolveMode(mode: Mode): Mode {
  if (mode === "module" || mode === "executable") return mode;
  throw new HotplugError(
    "options",
    `Cannot build in the mode ${JSON.stringify(mode)}: there are "module" and "executable"`,
  );
}

/** It becomes part of file names and addresses: only a version in its usual form passes. */
function resolveVersion(text: string | undefined): string | undefined {
  return text === undefined ? undefined : formatVersion(parseVersion(text));
}

function resolveMirror(mirror: string | URL | undefined): DenortMirror | undefined {
  if (mirror === undefined) return undefined;
  const location = parseSourceLocation(required("denortMirror", String(mirror)));
  switch (location.type) {
    case "path":
      return { type: "folder", path: location.path };
    case "url":
      // Only with the slash at its end is an address one that others are below of.
      return {
        type: "url",
        url: new URL(location.url.pathname.replace(/\/*$/, "/"), location.url),
      };
    default:
      throw new HotplugError(
        "options",
        `Cannot take bases from ${location.specifier}: give a directory or a URL`,
      );
  }
}

function resolveDependencies(wanted: Readonly<Record<string, string | URL>>): Dependencies {
  return new Map(
    Object.entries(wanted).map(([specifier, source]) => {
      const location = parseSourceLocation(required(`deps[${specifier}]`, String(source)));
      if (location.type !== "npm" && SPECIFIER.test(specifier)) return [specifier, location];
      throw new HotplugError(
        "options",
        location.type === "npm"
          ? `Cannot bring ${location.specifier} along as ${specifier}: it is a package; name it in ` +
            `"imports" of the plugin's deno.json`
          : `Cannot bring a source along as ${
            JSON.stringify(specifier)
          }: give the bare specifier ` +
            `that it is imported by, as @scope/lib`,
      );
    }),
  );
}

function resolveLimits(limits: SourceLimits): Required<SourceLimits> {
  const limit = (name: keyof SourceLimits) =>
    atLeast(`limits.${name}`, limits[name] ?? DEFAULT_SOURCE_LIMITS[name], 1);
  return {
    entries: limit("entries"),
    fileBytes: limit("fileBytes"),
    totalBytes: limit("totalBytes"),
    ratio: limit("ratio"),
    downloadBytes: limit("downloadBytes"),
    downloadTime: limit("downloadTime"),
  };
}

function required(option: string, value: string): string {
  if (typeof value === "string" && value !== "" && !value.includes("\0")) return value;
  throw new HotplugError(
    "options",
    `Cannot build with the option ${option}: it takes a text that is not empty`,
  );
}

function atLeast(option: string, value: number, least: number): number {
  if (typeof value === "number" && value >= least) return value;
  throw new HotplugError(
    "options",
    `Cannot build with the option ${option} as ${value}: it takes a number, ${least} or more`,
  );
}
