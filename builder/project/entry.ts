import { lstat } from "node:fs/promises";
import { isAbsolute, join, normalize } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { unlessMissing } from "../files/fs_error.ts";
import { quote } from "../quote.ts";
import type { Project } from "./project.ts";
import type { UnpackedSource } from "../sources/source.ts";

const STEMS: readonly string[] = ["mod", "main", "index"];
const EXTENSIONS: readonly string[] = ["ts", "tsx", "mts", "js", "jsx", "mjs"];

/**
 * Finds the module that a plugin begins with: `main`, else what `exports` of its `deno.json` names,
 * else `mod.ts`, `main.ts` or `index.ts` (or their `.js` kin). A single file is its own entry.
 *
 * Answers with its path relative to the source.
 *
 * @throws {HotplugError} With code `entry`, if it is not there or lies outside of the source.
 */
export async function findEntry(
  source: UnpackedSource,
  project: Project,
  main: string | undefined,
): Promise<string> {
  if (main !== undefined) return await named(source.root, main, `the option main`);
  if (source.file !== undefined) return source.file;
  if (project.entry !== undefined) {
    return await named(source.root, project.entry, `"exports" of its ${project.config}`);
  }
  for (const stem of STEMS) {
    for (const extension of EXTENSIONS) {
      const path = `${stem}.${extension}`;
      if (await isFile(source.root, path)) return path;
    }
  }
  throw new HotplugError(
    "entry",
    `Cannot find the entry of the source: there is no "exports" in a deno.json, and no mod.ts, ` +
      `main.ts or index.ts; name it with --main FILE`,
  );
}

async function named(root: string, path: string, by: string): Promise<string> {
  const clean = normalize(path).replaceAll("\\", "/");
  if (isAbsolute(path) || clean === ".." || clean.startsWith("../") || path.includes("\0")) {
    throw refusal(path, by, "it lies outside of the source; give a path relative to it");
  }
  if (await isFile(root, clean)) return clean;
  throw refusal(path, by, "there is no such file in the source; paths are relative to its root");
}

async function isFile(root: string, path: string): Promise<boolean> {
  return (await unlessMissing(lstat(join(root, path)), undefined))?.isFile() ?? false;
}

function refusal(path: string, by: string, why: string): HotplugError {
  return new HotplugError("entry", `Cannot use the entry ${quote(path)} that ${by} names: ${why}`);
}
