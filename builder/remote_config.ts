import { formatTarget, formatVersion, HotplugError, parseVersion } from "../artifact/mod.ts";
import type { Mode, Target } from "../artifact/mod.ts";
import { quote } from "./quote.ts";
import type { BuildOptions } from "./options.ts";
import { parseRemoteRequest, type RemoteRequest } from "./protocol/remote_request.ts";

/** A build service, and what it is asked. */
export interface RemoteConfig {
  /** Where to post to. */
  readonly endpoint: URL;
  /** The service as messages name it. */
  readonly label: string;
  /** The token, if there is one. */
  readonly token: string | undefined;
  /** The options of the build. */
  readonly request: RemoteRequest;
}

/** What of a build is about this machine, with what to do instead. */
const LOCAL_ONLY = {
  deno: "the service builds with its own Deno; name a version with denoVersion",
  denortMirror: "the service has its own",
  env: "a service takes no variables",
  allowImport: "a service takes nothing from http(s) hosts; put it into the source",
} as const satisfies Partial<Record<keyof BuildOptions, string>>;

/**
 * Reads where a build is done, if not here.
 *
 * @throws {HotplugError} With code `options`, if it is no address of a service, or an option makes
 * no sense there.
 */
export function resolveRemote(
  options: BuildOptions,
  mode: Mode,
  targets: readonly Target[],
): RemoteConfig | undefined {
  const { remote } = options;
  if (remote === undefined) return undefined;
  const service = typeof remote === "string" || remote instanceof URL ? { url: remote } : remote;
  for (const [option, remedy] of Object.entries(LOCAL_ONLY)) {
    const value = options[option as keyof typeof LOCAL_ONLY];
    if (isGiven(value)) {
      throw refusal(`the option ${option} is for builds on this machine: ${remedy}`);
    }
  }
  const base = parseAddress(service.url);
  const { token } = service;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw refusal("the token holds what no header can: give one line of ASCII without spaces");
  }
  return {
    endpoint: new URL("v1/api/build", base),
    label: base.href,
    token,
    request: requestOf(options, mode, targets),
  };
}

/** An empty list, or record, asks for nothing. */
function isGiven(value: BuildOptions[keyof typeof LOCAL_ONLY]): boolean {
  if (typeof value !== "object" || value instanceof URL) return value !== undefined;
  return Object.keys(value).length > 0;
}

function parseAddress(address: string | URL): URL {
  const url = URL.canParse(String(address)) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw refusal(`${quote(String(address))} is no address of one; give it as http://HOST:8089`);
  }
  return new URL(url.pathname.replace(/\/*$/, "/"), url);
}

/** Read by the service's own rules: what it would refuse is refused before anything is sent. */
function requestOf(options: BuildOptions, mode: Mode, targets: readonly Target[]): RemoteRequest {
  const { name, main, check, optional, contract, permissions, frozen, hooks, define } = options;
  const { gzip, minify, sourcemap, buildArgs, denoVersion = Deno.version.deno } = options;
  const source = String(options.source);
  return parseRemoteRequest(JSON.stringify({
    ...(source.startsWith("npm:") && { source }),
    ...{ name, main, check, optional, contract, permissions, frozen, hooks, define },
    ...{ minify, sourcemap, buildArgs, mode },
    // A module is small, and compressed where it is published.
    gzip: mode === "executable" && gzip === true,
    targets: targets.map(formatTarget),
    // As if it were built here: for the Deno that is here.
    denoVersion: formatVersion(parseVersion(denoVersion)),
  }));
}

function refusal(why: string): HotplugError {
  return new HotplugError("options", `Cannot build at a service: ${why}`);
}
