import type { Os } from "./target.ts";

interface ReadPath {
  /** What it starts from: `/`, `c:/`, `//`, or nothing for a relative one. */
  readonly root: string;
  /** How far above the folder that a relative path starts from it leads. */
  readonly up: number;
  readonly parts: readonly string[];
}

/**
 * Tells whether a path is another one, or lies below it, by what is written: no disk is asked.
 *
 * In doubt it is not so. A relative path and an absolute one can't be compared.
 */
export function containsPath(outer: string, inner: string, os: Os): boolean {
  if (outer === inner) return true;
  const [a, b] = [readPath(outer, os), readPath(inner, os)];
  if (a === undefined || b === undefined || a.root !== b.root) return false;
  // `../x` may be where one already is, but nothing here knows the folder's name.
  if (b.up !== a.up) return b.up < a.up && a.parts.length === 0;
  return a.parts.every((part, index) => part === b.parts[index]);
}

function readPath(path: string, os: Os): ReadPath | undefined {
  const windows = os === "windows";
  const text = windows ? path.replaceAll("\\", "/").replace(/[A-Z]/g, lower) : path;
  const [root = ""] = (windows ? /^(?:[a-z]:\/?|\/{0,2})/ : /^\/?/).exec(text) ?? [];
  const parts: string[] = [];
  let up = 0;
  for (const part of text.slice(root.length).split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") {
      // Windows takes the end of such a name away: what it means is not what it says.
      if (windows && /[. ]$/.test(part)) return undefined;
      parts.push(part);
    } else if (parts.pop() === undefined && !root.endsWith("/")) {
      up++;
    }
  }
  return { root, up, parts };
}

function lower(letter: string): string {
  return letter.toLowerCase();
}
