import { Buffer } from "node:buffer";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "@std/path";
import type { Node } from "acorn";
import type { Variable } from "eslint-scope";
import { outsideOfSource } from "./source_map.ts";
import { parentsOf, parseModule, variablesOf } from "./syntax_tree.ts";

// What the bundler's decoder of base 64 looks like, minified or not.
const DECODER = /\*\s*4\s*-\s*205\]/;

/**
 * Checks that all bytes that a bundle holds are those of a file below `root`.
 *
 * `import … with { type: "bytes" }` leaves no trace in the source map, and an import by a pattern,
 * or one inside of a package, is not in the module graph either: what was taken in is compared with
 * what is there.
 *
 * @throws {HotplugError} With code `imports`, if some of them come from elsewhere.
 */
export async function checkInlinedBytes(code: string, root: string): Promise<void> {
  if (!DECODER.test(code)) return;
  const wanted = findInlinedBytes(code);
  if (wanted.length === 0) return;
  const files = await filesBySize(root);
  for (const bytes of wanted) {
    const candidates = files.get(bytes.byteLength) ?? [];
    if (!await holds(candidates, bytes)) throw outsideOfSource(`with ${bytes.byteLength} bytes`);
  }
}

/** The contents that a bundle hands to its decoder, in the order of their calls. */
export function findInlinedBytes(code: string): Buffer[] {
  const tree = parseModule(code);
  const parents = parentsOf(tree);
  const decoders = variablesOf(tree).filter((variable) => isDecoder(variable, code));
  return decoders.flatMap(({ references }) => references).flatMap(({ identifier }) => {
    const callee = identifier as unknown as Node;
    const call = parents.get(callee);
    if (call?.type !== "CallExpression" || call.callee !== callee) return [];
    const [text] = call.arguments;
    return text?.type === "Literal" && typeof text.value === "string"
      ? [Buffer.from(text.value, "base64")]
      : [];
  });
}

function isDecoder({ defs }: Variable, code: string): boolean {
  return defs.some(({ type, node }) => {
    const { init } = type === "Variable" ? node as { init?: Node | null } : {};
    if (!init || init.end - init.start > 1000) return false;
    return DECODER.test(code.slice(init.start, init.end));
  });
}

async function filesBySize(root: string): Promise<Map<number, string[]>> {
  const files = new Map<number, string[]>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const { size } = await stat(path);
    files.set(size, [...files.get(size) ?? [], path]);
  }
  return files;
}

async function holds(paths: readonly string[], bytes: Buffer): Promise<boolean> {
  for (const path of paths) if (bytes.equals(await readFile(path))) return true;
  return false;
}
