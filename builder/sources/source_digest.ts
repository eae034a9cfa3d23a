import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "@std/path";
import { sha256Stream } from "../../artifact/mod.ts";

/**
 * Answers with the digest of a source tree, as `source.sha256` of an info file has it: SHA-256 over
 * one line for each file, `SHA256 two spaces PATH newline`, with the paths relative to the tree,
 * parts joined by `/`, sorted by their UTF-16 units. That is what `sha256sum` prints. Times, modes
 * and empty folders don't count.
 */
export async function digestSource(root: string): Promise<string> {
  const hash = createHash("sha256");
  for (const path of (await listFiles(root)).sort()) {
    const { sha256 } = await sha256Stream(createReadStream(join(root, path)));
    hash.update(`${sha256}  ${path}\n`);
  }
  return hash.digest("hex");
}

async function listFiles(root: string, below = ""): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) paths.push(...await listFiles(root, path));
    else paths.push(path);
  }
  return paths;
}
