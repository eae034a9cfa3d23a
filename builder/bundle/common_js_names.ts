import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "@std/path";
import { init, parse } from "cjs-module-lexer";

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const RESERVED: ReadonlySet<string> = new Set(["default", "__esModule", "module.exports"]);

/**
 * Lists the names that an installed CommonJS package exports, as an import by name finds them in
 * Deno and Node: by a look at its text. Nothing of it runs.
 */
export async function commonJsNames(specifier: string, root: string): Promise<string[]> {
  await init();
  const bare = specifier.replace(/^npm:(@?[^@]+)@[^/]+/, "$1");
  const names = new Set<string>();
  const seen = new Set<string>();
  const open: [from: string, specifier: string][] = [[join(root, "plugin.mjs"), bare]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [from, wanted] = next;
    const file = tryResolve(from, wanted);
    if (file === undefined || !/\.c?js$/.test(file) || seen.has(file)) continue;
    seen.add(file);
    const { exports, reexports } = tryParse(await readFile(file, "utf8"));
    for (const name of exports) {
      if (IDENTIFIER.test(name) && !RESERVED.has(name)) names.add(name);
    }
    open.push(...reexports.map((each): [string, string] => [file, each]));
  }
  return [...names].sort();
}

/** What is no CommonJS tells its names by itself. */
function tryParse(source: string): Pick<ReturnType<typeof parse>, "exports" | "reexports"> {
  try {
    return parse(source);
  } catch {
    return { exports: [], reexports: [] };
  }
}

/** What can't be resolved has no names to tell. */
function tryResolve(from: string, specifier: string): string | undefined {
  try {
    return createRequire(from).resolve(specifier);
  } catch {
    return undefined;
  }
}
