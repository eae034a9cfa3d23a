import { realpath } from "node:fs/promises";
import { fromFileUrl, join, SEPARATOR } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { unlessMissing } from "../files/fs_error.ts";
import { quote } from "../quote.ts";
import type { ImportHosts } from "./import_hosts.ts";

interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      /** As the module has it. */
      readonly specifier?: string;
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
    }[];
  }[];
  readonly redirects?: Readonly<Record<string, string>>;
}

/**
 * Checks that nothing is imported from outside of the source: not as a module, JSON, text or bytes,
 * not by a symbolic link, and from no host that is not allowed. The bundler would take in whatever
 * file of this machine it can read.
 *
 * `text` is what `deno info --json` says; `root` is the source's real path.
 *
 * @throws {HotplugError} With code `imports`, naming what is imported and by which module.
 */
export async function checkGraph(text: string, root: string, hosts: ImportHosts): Promise<void> {
  const graph = JSON.parse(text) as Graph;
  for (const [specifier, dependent] of specifiersOf(graph)) {
    const fault = await faultOf(specifier, root, hosts);
    if (fault !== undefined) throw refusal(specifier, dependent, root, fault);
  }
}

/** A module that imports something, and what that is called there. */
interface Dependent {
  readonly importer: string;
  readonly written: string;
}

/** All that is imported, with one module that does it. */
function specifiersOf({ modules, redirects = {} }: Graph): Map<string, Dependent | undefined> {
  const found = new Map<string, Dependent | undefined>();
  for (const { specifier: importer, dependencies = [] } of modules) {
    for (const { specifier, code, type } of dependencies) {
      for (const each of [code?.specifier, type?.specifier]) {
        if (each !== undefined) found.set(each, { importer, written: specifier ?? each });
      }
    }
  }
  const rest = [...modules.map(({ specifier }) => specifier), ...Object.values(redirects)];
  for (const each of rest) if (!found.has(each)) found.set(each, undefined);
  return found;
}

async function faultOf(
  specifier: string,
  root: string,
  hosts: ImportHosts,
): Promise<string | undefined> {
  const scheme = specifier.slice(0, specifier.indexOf(":"));
  switch (scheme) {
    case "file": {
      const path = pathOf(specifier);
      if (path === undefined) return "it names no file";
      // What is not there is the bundler's to tell.
      const real = await unlessMissing(realpath(path), path);
      return isInside(real, root) ? undefined : "it lies outside of the source";
    }
    case "http":
    case "https":
      return hosts.allows(new URL(specifier)) ? undefined : "its host is not allowed";
    default:
      return undefined;
  }
}

/** The path that a URL stands for; none if it has a host, or a slash that is encoded. */
function pathOf(url: string): string | undefined {
  try {
    return fromFileUrl(url);
  } catch {
    return undefined;
  }
}

function isInside(path: string, root: string): boolean {
  return path === root || path.startsWith(root + SEPARATOR);
}

function refusal(
  specifier: string,
  { importer, written }: Partial<Dependent> = {},
  root: string,
  fault: string,
): HotplugError {
  const inside = join(root, SEPARATOR);
  const path = importer?.startsWith("file:") ? pathOf(importer) : undefined;
  const by = path?.startsWith(inside)
    ? ` in ${quote(path.slice(inside.length).replaceAll(SEPARATOR, "/"))}`
    : "";
  const remedy = fault.includes("host")
    ? `allow it with --allow-import ${new URL(specifier).host}`
    : "put it into the source, bring its folder along with --dep, or import it as a package";
  return new HotplugError(
    "imports",
    `Cannot build with the import of ${quote(written ?? specifier)}${by}: ${fault}; ${remedy}`,
  );
}
