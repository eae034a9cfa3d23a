import { HotplugError } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";

const MAX_PATH = 1024;
const MAX_PART_BYTES = 255;
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const RESERVED = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i;
const LEFT_OUT: ReadonlySet<string> = new Set(["node_modules", ".git", "__MACOSX", ".DS_Store"]);

/** Tells whether a path holds what is never part of a source: packages, history, a Mac's extras. */
export function isLeftOut(path: string): boolean {
  return path.split("/").some((part) => LEFT_OUT.has(part));
}

/**
 * Tells whether a path is nothing that an archive may bring, besides: npm's configuration names hosts,
 * and what it writes as `${NAME}` is read from the environment of who builds.
 */
export function isLeftOutOfArchive(path: string): boolean {
  return isLeftOut(path) || path.split("/").at(-1)?.toLowerCase() === ".npmrc";
}

/**
 * Checks the path of an archive's entry and answers with it, without the slash that ends a folder's.
 *
 * @throws {HotplugError} With code `source`, if it could lead out of the folder or mislead a reader.
 */
export function checkEntryPath(path: string): string {
  const clean = path.endsWith("/") ? path.slice(0, -1) : path;
  const fault = faultOf(clean);
  if (fault === undefined) return clean;
  throw new HotplugError(
    "source",
    `Cannot unpack the entry ${quote(path.slice(0, MAX_PATH))}: ${fault}; ` +
      `an archive may only hold plain files below its own folder`,
  );
}

function faultOf(path: string): string | undefined {
  if (path === "") return "its name is empty";
  if (path.length > MAX_PATH) return `its name is longer than ${MAX_PATH} characters`;
  if (CONTROL.test(path)) return "its name holds a control character";
  if (path.includes("\ufffd")) return "its name is no UTF-8";
  if (path.includes("\\")) return "its name holds a backslash";
  if (path.startsWith("/")) return "its name is absolute";
  // On Windows `c:` is a drive and `file:x` a hidden stream of a file.
  if (path.includes(":")) return "its name holds a colon";
  for (const part of path.split("/")) {
    if (part === "") return "its name has an empty part";
    if (part === "." || part === "..") return `its name has the part ${quote(part)}`;
    if (/[ .]$/.test(part)) return "a part of its name ends with a dot or a space";
    if (RESERVED.test(part)) return `its name has the part ${quote(part)}, a device on Windows`;
    if (new TextEncoder().encode(part).byteLength > MAX_PART_BYTES) {
      return `a part of its name is longer than ${MAX_PART_BYTES} bytes`;
    }
  }
  return undefined;
}

/** Refuses paths that are one and the same on some disks: equal but for case or composition. */
export class PathRegister {
  readonly #kinds = new Map<string, { readonly path: string; readonly folder: boolean }>();

  /** Notes a path; throws (code `source`) if another one stands in its way. */
  add(path: string, folder: boolean): void {
    const parts = path.split("/");
    for (let length = 1; length < parts.length; length++) {
      this.#note(parts.slice(0, length).join("/"), true, true);
    }
    this.#note(path, folder, folder);
  }

  #note(path: string, folder: boolean, again: boolean): void {
    const key = path.normalize("NFC").toLowerCase();
    const there = this.#kinds.get(key);
    if (there === undefined) {
      this.#kinds.set(key, { path, folder });
      return;
    }
    if (again && there.folder && there.path === path) return;
    throw new HotplugError(
      "source",
      there.path === path
        ? `Cannot unpack the entry ${quote(path)}: the archive holds it twice`
        : `Cannot unpack the entry ${quote(path)}: ${quote(there.path)} would be the same file ` +
          `on disks that don't tell case; rename one of them`,
    );
  }
}
