import { resolve } from "@std/path";
import {
  ANY_TARGET,
  assertPluginName,
  DEFAULT_FUTURE_TOLERANCE_MS,
  formatTarget,
  HotplugError,
  isScn,
  parseTarget,
  type Permissions,
  type Scn,
  type Target,
} from "../artifact/mod.ts";
import type { Dependencies } from "./dependencies.ts";
import { type ImportHosts, importHosts } from "./import_hosts.ts";
import type { BuildProgress } from "./progress.ts";
import { DEFAULT_SOURCE_LIMITS, type SourceLimits } from "./source_limits.ts";
import { expandHome, parseSourceLocation, type SourceLocation } from "./source_location.ts";

/** What to build, from what, into where. */
export interface BuildOptions {
  /**
   * The source: a directory, a `.zip`, `.tar`, `.tar.gz` or `.tgz`, or one `.ts` or `.js` module, as
   * a path (`~` is the home folder) or as a `file:`, `http:` or `https:` URL; or a package, as
   * `npm:NAME@VERSION`.
   */
  readonly source: string | URL;
  /** The directory to publish into, as a path; made if it is not there. */
  readonly dest: string;
  /**
   * The plugin's name.
   *
   * @default the last part of the name in its `deno.json` or `package.json`, else what the file or
   * directory is called
   */
  readonly name?: string;
  /**
   * The entry module, relative to the source.
   *
   * @default `exports` of its `deno.json`, else `mod.ts`, `main.ts` or `index.ts`
   */
  readonly main?: string;
  /**
   * The platforms to build for: words such as `linux/amd64`, or targets.
   *
   * @default {["any"]}
   */
  readonly targets?: readonly (string | Target)[];
  /**
   * Whether to compress the artifact.
   *
   * @default {false}
   */
  readonly gzip?: boolean;
  /**
   * The SCN, to give the builds of several machines the same one.
   *
   * @default now, or one second after the newest of that name in the destination
   */
  readonly scn?: Scn;
  /**
   * Whether type errors fail the build.
   *
   * @default {true}
   */
  readonly check?: boolean;
  /**
   * Names that may stay to be imported although they may be missing where the plugin runs.
   *
   * @default {[]}
   */
  readonly optional?: readonly string[];
  /** The contract that a host must declare, as `pricing/2`. */
  readonly contract?: string;
  /** The permissions that the plugin asks for where it runs in a process of its own. */
  readonly permissions?: Permissions;
  /** Cancels the build: what it started is ended, what it made is removed. */
  readonly signal?: AbortSignal;
  /**
   * How far ahead of now an SCN may lie, in milliseconds.
   *
   * @default {600_000}
   */
  readonly futureTolerance?: number;
  /**
   * Further source trees, by the bare specifier that the plugin imports each by: directories, archives
   * or modules, written as `source` is. Each is read by its own `deno.json`.
   *
   * @default {{}}
   */
  readonly deps?: Readonly<Record<string, string | URL>>;
  /**
   * The hosts that `http:` and `https:` imports may come from, as `example.com` or
   * `example.com:8080`. The registry of `jsr:` imports is always allowed.
   *
   * @default {[]}
   */
  readonly allowImport?: readonly string[];
  /**
   * Whether a build fails that would change the `deno.lock` of the source.
   *
   * @default {false}
   */
  readonly frozen?: boolean;
  /**
   * Whether the hooks (`activate`, `health`, …) that a package exports are kept. Its author did not
   * have hotplug in mind: what is called like one is left out. A source of another kind keeps its.
   *
   * @default {false}
   */
  readonly hooks?: boolean;
  /** How much the source, and each of `deps`, may hold. */
  readonly limits?: SourceLimits;
  /**
   * The Deno that builds, as a path or a name on the search path.
   *
   * @default {Deno.execPath()}
   */
  readonly deno?: string;
  /** Called at the end of each step. */
  readonly onProgress?: (progress: BuildProgress) => void;
}

/** Options, checked and filled: nothing below reads the raw ones. */
export interface BuildConfig {
  readonly source: SourceLocation;
  readonly dest: string;
  readonly name: string | undefined;
  readonly main: string | undefined;
  readonly targets: readonly Target[];
  readonly gzip: boolean;
  readonly scn: Scn | undefined;
  readonly check: boolean;
  readonly optional: readonly string[];
  readonly contract: string | undefined;
  readonly permissions: Permissions | undefined;
  readonly signal: AbortSignal | undefined;
  readonly futureTolerance: number;
  readonly deps: Dependencies;
  readonly hosts: ImportHosts;
  readonly frozen: boolean;
  readonly hooks: boolean;
  readonly limits: Required<SourceLimits>;
  readonly deno: string;
  readonly onProgress: (progress: BuildProgress) => void;
}

const SPECIFIER = /^(?:@[a-z0-9][a-z0-9_-]*\/)?[a-z0-9][a-z0-9._-]*$/i;

/** Checks options, fills what is missing and makes paths absolute. */
export function resolveBuildOptions(options: BuildOptions): BuildConfig {
  const { name, main, scn, contract, permissions, signal } = options;
  if (name !== undefined) assertPluginName(name);
  if (scn !== undefined && !isScn(scn)) {
    throw new HotplugError("scn", `Cannot build with the SCN ${scn}: it takes 14 digits, in UTC`);
  }
  if (contract !== undefined) required("contract", contract);
  const optional = [...options.optional ?? []];
  for (const each of optional) required("optional", each);
  return {
    source: parseSourceLocation(required("source", String(options.source))),
    dest: resolve(expandHome(required("dest", options.dest))),
    name,
    main: main === undefined ? undefined : required("main", main),
    targets: resolveTargets(options.targets ?? []),
    gzip: options.gzip ?? false,
    scn,
    check: options.check ?? true,
    optional,
    contract,
    permissions,
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
    deno: required("deno", options.deno ?? Deno.execPath()),
    onProgress: options.onProgress ?? (() => {}),
  };
}

function resolveTargets(wanted: readonly (string | Target)[]): readonly Target[] {
  const targets = wanted.map((each) =>
    parseTarget(typeof each === "string" ? each : formatTarget(each))
  );
  const unique = new Map(targets.map((target) => [formatTarget(target), target]));
  return unique.size === 0 ? [ANY_TARGET] : [...unique.values()];
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
