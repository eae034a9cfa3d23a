import type { BundleRequest } from "../builder/bundle/bundle.ts";
import { importHosts } from "../builder/bundle/import_hosts.ts";

/** Asks for a bundle of `src/mod.ts` in the folder, in the plainest way. */
export function bundleRequest(workFolder: string): BundleRequest {
  return {
    deno: Deno.execPath(),
    workFolder,
    entry: "mod.ts",
    config: "deno.json",
    version: Deno.version.deno,
    check: false,
    minify: true,
    optional: [],
    buildArgs: { graph: [], bundle: [], compile: [] },
    env: {},
    hosts: importHosts([]),
    frozen: false,
    logger: { debug() {}, info() {}, warn() {} },
  };
}
