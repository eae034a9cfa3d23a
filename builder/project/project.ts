import { readFile, writeFile } from "node:fs/promises";
import { join } from "@std/path";
import { parse as parseJsonc, type ParseError, printParseErrorCode } from "jsonc-parser";
import { HotplugError } from "../../artifact/mod.ts";
import { unlessMissing } from "../files/fs_error.ts";
import { quote } from "../quote.ts";
import { sealConfig } from "./seal_config.ts";

/** What the source's own project files say that a build needs to know. */
export interface Project {
  /** The file that Deno takes its configuration from, relative to the source. */
  readonly config: string;
  /** The name that the source gives itself, the scope left off. */
  readonly name?: string;
  /** The file that says the name. */
  readonly nameFrom?: string;
  /** The entry module that `exports` names, relative to the source as it is written there. */
  readonly entry?: string;
  /** All that `exports` names: `.` and what stands behind it, each with its module. */
  readonly exports: Readonly<Record<string, string>>;
  /** What its `deno.json` says; empty if it has none. */
  readonly settings: Readonly<Record<string, unknown>>;
}

const CONFIG_FILES: readonly string[] = ["deno.json", "deno.jsonc"];

/**
 * Reads `deno.json`, `deno.jsonc` and `package.json` of an unpacked source.
 *
 * A source without a `deno.json` gets an empty one: `--config` is always given, for otherwise Deno
 * would look for one in the folders around the private one. What a build must not follow is taken
 * out of the one that is there, see {@linkcode sealConfig}.
 *
 * @throws {HotplugError} With code `source`, if a file can't be read or leads out of the source.
 */
export async function readProject(root: string): Promise<Project> {
  const manifest = await readJson(root, "package.json");
  const fromPackage = ownName(manifest, "package.json");
  for (const config of CONFIG_FILES) {
    const written = await readJson(root, config);
    if (written === undefined) continue;
    const settings = sealConfig(config, written);
    if (settings !== written) await writeSettings(root, config, settings);
    const exports = exportsOf(settings.exports);
    const entry = exports["."];
    return {
      config,
      ...fromPackage,
      ...ownName(settings, config),
      ...(entry === undefined ? {} : { entry }),
      exports,
      settings,
    };
  }
  await writeFile(join(root, "deno.json"), "{}\n", { flag: "wx" });
  return { config: "deno.json", ...fromPackage, exports: {}, settings: {} };
}

/** Writes the settings of an unpacked source anew. */
export async function writeSettings(
  root: string,
  config: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  await writeFile(join(root, config), `${JSON.stringify(settings, null, 2)}\n`);
}

async function readJson(root: string, file: string): Promise<Record<string, unknown> | undefined> {
  const text = await unlessMissing(readFile(join(root, file), "utf8"), undefined);
  if (text === undefined) return undefined;
  const errors: ParseError[] = [];
  const value: unknown = parseJsonc(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined || typeof value !== "object" || value === null || Array.isArray(value)) {
    const why = error === undefined
      ? "it holds no object"
      : `${printParseErrorCode(error.error)} at character ${error.offset}`;
    throw new HotplugError("source", `Cannot read ${quote(file)} of the source: ${why}; mend it`);
  }
  return value as Record<string, unknown>;
}

function ownName(
  settings: Record<string, unknown> | undefined,
  nameFrom: string,
): Pick<Project, "name" | "nameFrom"> {
  const name = settings?.name;
  if (typeof name !== "string" || name === "") return {};
  return { name: name.slice(name.lastIndexOf("/") + 1), nameFrom };
}

function exportsOf(exports: unknown): Record<string, string> {
  if (typeof exports === "string") return { ".": exports };
  if (typeof exports !== "object" || exports === null) return {};
  return Object.fromEntries(
    Object.entries(exports).filter((each): each is [string, string] => typeof each[1] === "string"),
  );
}
