import { HotplugError } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";

/** The hosts that a build may import from. */
export interface ImportHosts {
  /** The flag that tells Deno. */
  readonly flag: string;
  /** Tells whether an address is allowed. */
  allows(url: URL): boolean;
}

const HOST = /^(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i;

/**
 * Reads the hosts to allow, as `example.com` or `example.com:8080`. The registry of `jsr:` imports
 * is always among them: those are packages.
 *
 * @throws {HotplugError} With code `options`, if one of them is no host.
 */
export function importHosts(
  hosts: readonly string[],
  jsr: string = Deno.env.get("JSR_URL") ?? "https://jsr.io",
): ImportHosts {
  for (const host of hosts) {
    if (HOST.test(host)) continue;
    throw new HotplugError(
      "options",
      `Cannot allow imports from ${quote(host)}: give a host, as example.com or example.com:8080`,
    );
  }
  const allowed = [...hosts.map((host) => host.toLowerCase()), hostOf(new URL(jsr))];
  return {
    flag: `--allow-import=${allowed.join(",")}`,
    allows: (url) => allowed.includes(url.hostname) || allowed.includes(hostOf(url)),
  };
}

function hostOf(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === "https:" ? 443 : 80)}`;
}
