import type { HotplugError } from "../../artifact/mod.ts";
import { download } from "../sources/download.ts";
import { integrityFault } from "./integrity.ts";
import { quote } from "../quote.ts";

/** An npm registry, and how to ask it. */
export interface NpmRegistry {
  /** Its address, with a slash at the end. */
  readonly url: string;
  /** What goes into the header `authorization`, where it wants one. */
  readonly authorization?: string;
}

/** One version of a package, as a registry has it. */
export interface PackageVersion {
  /** Where its archive is. */
  readonly tarball: string;
  /** The archive's digests, as in subresource integrity. */
  readonly integrity: string;
}

const MAX_TARBALL_BYTES = 512 * 1024 * 1024;
const MAX_TIME_MS = 15 * 60 * 1000;
const MAX_ANSWER_MS = 60 * 1000;

/** The registry of a scope by npm's configuration: environment, project, user, machine. */
export async function configuredRegistry(scope: string): Promise<NpmRegistry> {
  // Loaded when it is needed: most builds ask no registry.
  const { default: registryUrl } = await import("registry-auth-token/registry-url.js");
  const { default: registryToken } = await import("registry-auth-token");
  const url: string = registryUrl(scope);
  const token: { type: string; token: string } | undefined = registryToken(url, {
    recursive: true,
  });
  return token === undefined ? { url } : { url, authorization: `${token.type} ${token.token}` };
}

/** Lists the versions of a package; nothing if the registry has no such package. */
export async function packageVersions(
  registry: NpmRegistry,
  name: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, PackageVersion>> {
  const late = AbortSignal.timeout(MAX_ANSWER_MS);
  const response = await fetch(new URL(name.replace("/", "%2f"), registry.url), {
    headers: {
      accept: "application/vnd.npm.install-v1+json, application/json;q=0.8",
      ...authorizationOf(registry),
    },
    signal: signal === undefined ? late : AbortSignal.any([signal, late]),
  });
  if (response.status === 404) {
    await response.body?.cancel();
    return new Map();
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the registry answers ${response.status}`);
  }
  return readVersions(await response.json());
}

/** Fetches the archive of a version into a file that is not there yet, and checks its integrity. */
export async function fetchTarball(
  registry: NpmRegistry,
  { tarball, integrity }: PackageVersion,
  file: string,
  signal?: AbortSignal,
): Promise<number> {
  const url = new URL(tarball, registry.url);
  if (!/^https?:$/.test(url.protocol)) throw new Error(`its archive is at ${quote(tarball)}`);
  // A registry may keep its archives elsewhere: who guards that place is not to see the token.
  const authorized: typeof fetch = (input, init) => {
    const own = new URL(String(input)).origin === new URL(registry.url).origin;
    return fetch(input, { ...init, headers: own ? authorizationOf(registry) : {} });
  };
  const limits = { maxBytes: MAX_TARBALL_BYTES, maxTime: MAX_TIME_MS, signal };
  const bytes = await download(url, file, limits, authorized).catch((error: HotplugError) => {
    throw error.code === "source" && error.cause instanceof Error ? error.cause : error;
  });
  const fault = await integrityFault(file, integrity);
  if (fault !== undefined) throw new Error(`${quote(tarball)} is not what was asked for: ${fault}`);
  return bytes;
}

function authorizationOf({ authorization }: NpmRegistry): Record<string, string> {
  return authorization === undefined ? {} : { authorization };
}

/** What a registry says is believed as far as it has the right shape. */
function readVersions(packument: unknown): ReadonlyMap<string, PackageVersion> {
  const found = new Map<string, PackageVersion>();
  const { versions } = (packument ?? {}) as { versions?: unknown };
  if (typeof versions !== "object" || versions === null) return found;
  for (const [version, value] of Object.entries(versions)) {
    const { dist } = (value ?? {}) as { dist?: Partial<Record<keyof PackageVersion, unknown>> };
    const { tarball, integrity } = dist ?? {};
    if (typeof tarball !== "string" || typeof integrity !== "string") continue;
    found.set(version, { tarball, integrity });
  }
  return found;
}
