import { homedir } from "node:os";
import { fromFileUrl, join, resolve } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";

/** Where a source is. */
export type SourceLocation =
  | {
    /** A file or folder of this machine. */
    readonly type: "path";
    /** Its absolute path. */
    readonly path: string;
  }
  | {
    /** An archive or a module to download. */
    readonly type: "url";
    /** Its address, `http:` or `https:`. */
    readonly url: URL;
  }
  | {
    /** A package of the npm registry. */
    readonly type: "npm";
    /** Its name, with its scope. */
    readonly name: string;
    /** Its version, exact. */
    readonly version: string;
    /** What is imported of it, as `npm:NAME@VERSION/SUBPATH`. */
    readonly specifier: string;
  };

const NPM = /^npm:\/?((?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*)(?:@([^/]*))?(\/[\w./~-]+)?$/i;
const EXACT = /^\d+\.\d+\.\d+(?:-[\w.-]+)?$/;
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;

/**
 * Reads what a person writes for a source: a path (`~` is the home folder), a `file:`, `http:` or
 * `https:` URL, or `npm:NAME@VERSION`.
 *
 * @throws {HotplugError} With code `options`, if it is another kind of address, or a package without
 * its exact version: the newest one would be another one tomorrow.
 */
export function parseSourceLocation(source: string | URL): SourceLocation {
  const text = String(source);
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
      return { type: "path", path: resolve(expandHome(text)) };
    case "npm":
      return parsePackage(text);
    case "file":
    case "http":
    case "https":
      return parseAddress(text, scheme);
    default:
      // What is no address may still be the name of a file.
      if (!/^(?:jsr|data|blob|node|git|ssh|github):|^[^/]+:\/\//i.test(text)) {
        return { type: "path", path: resolve(text) };
      }
      throw refusal(
        text,
        `${quote(`${scheme}:`)} is no kind of source`,
        "give a path, an http(s) URL, or npm:NAME@VERSION",
      );
  }
}

/** Names a location for a message; a password in it is not repeated. */
export function describeLocation(location: SourceLocation): string {
  switch (location.type) {
    case "path":
      return location.path;
    case "npm":
      return location.specifier;
    case "url": {
      const url = new URL(location.url);
      url.username = url.password = "";
      return url.href;
    }
  }
}

/** Puts the home folder in the place of `~`, as a shell does where it sees one. */
export function expandHome(path: string): string {
  return path === "~" || /^~[/\\]/.test(path) ? join(homedir(), path.slice(1)) : path;
}

function parseAddress(text: string, scheme: "file" | "http" | "https"): SourceLocation {
  try {
    const url = new URL(text);
    if (scheme === "file") return { type: "path", path: fromFileUrl(url) };
    return { type: "url", url };
  } catch (cause) {
    throw refusal(text, "it is no sound URL", "check it", cause);
  }
}

function parsePackage(text: string): SourceLocation {
  const [, name, version, subpath = ""] = NPM.exec(text) ?? [];
  if (name === undefined || subpath.includes("..")) {
    throw refusal(text, "it is no package", "write npm:NAME@VERSION");
  }
  if (version === undefined || !EXACT.test(version)) {
    throw refusal(
      text,
      "it has no exact version, so that the same command would build something else tomorrow",
      `write one, as npm:${name}@1.2.3; "npm view ${name} version" tells the newest`,
    );
  }
  return { type: "npm", name, version, specifier: `npm:${name}@${version}${subpath}` };
}

function refusal(text: string, why: string, remedy: string, cause?: unknown): HotplugError {
  return new HotplugError(
    "options",
    `Cannot use the source ${quote(text)}: ${why}; ${remedy}`,
    { cause },
  );
}
