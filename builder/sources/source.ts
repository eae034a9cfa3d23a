import { copyFile, mkdir, realpath, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { errnoOf } from "../files/fs_error.ts";
import { quote } from "../quote.ts";
import { copyDirectory } from "./directory_source.ts";
import { download } from "./download.ts";
import { PACKAGE_ENTRY, writePackageEntry } from "./npm_source.ts";
import { digestSource } from "./source_digest.ts";
import { type FileKind, fileKind, MODULE_EXTENSIONS, stemOf } from "./source_kind.ts";
import { SourceBudget, type SourceLimits } from "./source_limits.ts";
import { describeLocation, type SourceLocation } from "./source_location.ts";
import { unpackTar } from "./tar_source.ts";
import { unpackZip } from "./zip_source.ts";

/** A source, unpacked into a private folder. */
export interface UnpackedSource {
  /** What it came as. */
  readonly kind: "directory" | "archive" | "file" | "package";
  /** Its own name, without an extension: what a plugin is called when nothing else names it. */
  readonly stem: string;
  /** The private folder. */
  readonly root: string;
  /** The one file's name, if it came as a single file. */
  readonly file?: string;
  /** What is imported, if it is a package. */
  readonly specifier?: string;
  /** What was downloaded, if it came from another machine. */
  readonly fetched?: {
    /** Where it came from. */
    readonly what: string;
    /** How many bytes. */
    readonly bytes: number;
    /** How long that took, in milliseconds. */
    readonly durationMs: number;
  };
  /** How many files and folders there are. */
  readonly entries: number;
  /** How many bytes the files hold. */
  readonly bytes: number;
  /** The tree's digest, see {@linkcode digestSource}. */
  readonly sha256: string;
}

/** What {@linkcode unpackSource} needs; the paths are absolute. */
export interface UnpackOptions {
  /** Where the source is. */
  readonly source: SourceLocation;
  /** Where to unpack it; made here, and not there yet. */
  readonly root: string;
  /** How much it may hold. */
  readonly limits: Required<SourceLimits>;
  /** A folder to leave out, where artifacts of earlier builds may lie. */
  readonly dest: string;
  /** Stops it. */
  readonly signal?: AbortSignal | undefined;
}

type Found = Pick<UnpackedSource, "kind" | "stem" | "file" | "specifier" | "fetched">;

/**
 * Brings a source, in whatever form it comes, into a private folder.
 *
 * @throws {HotplugError} With code `source`, if it is not there, of no known kind or not sound.
 */
export async function unpackSource(options: UnpackOptions): Promise<UnpackedSource> {
  const { source, root, limits } = options;
  const budget = new SourceBudget(describeLocation(source), limits);
  await mkdir(dirname(root), { recursive: true });
  const found = await unpack(options, budget);
  return {
    ...found,
    root,
    entries: budget.entries,
    bytes: budget.bytes,
    sha256: await digestSource(root),
  };
}

async function unpack(options: UnpackOptions, budget: SourceBudget): Promise<Found> {
  const { source, root } = options;
  switch (source.type) {
    case "path":
      return await unpackPath(source.path, options, budget);
    case "url":
      return await unpackUrl(source.url, options, budget);
    case "npm": {
      const { name: stem, specifier } = source;
      await writePackageEntry(root, specifier, { all: true, names: ["default"] });
      budget.addEntry();
      return { kind: "package", stem: basename(stem), file: PACKAGE_ENTRY, specifier };
    }
  }
}

async function unpackPath(
  path: string,
  options: UnpackOptions,
  budget: SourceBudget,
): Promise<Found> {
  const info = await stat(path).catch((cause: unknown) => {
    const why = errnoOf(cause) === "ENOENT"
      ? "there is no such file or folder"
      : "it can't be read";
    throw refusal(path, `${why}; check the path`, cause);
  });
  if (info.isFile()) return await unpackFile(path, basename(path), options, budget);
  if (!info.isDirectory()) throw refusal(path, "it is neither a file nor a folder");
  const skip = [await realpath(options.dest).catch(() => options.dest)];
  const { signal } = options;
  await copyDirectory(path, options.root, budget, signal ? { skip, signal } : { skip });
  return { kind: "directory", stem: basename(await realpath(path)) };
}

async function unpackUrl(url: URL, options: UnpackOptions, budget: SourceBudget): Promise<Found> {
  const { root, limits, signal } = options;
  const file = `${root}.download`;
  const { downloadBytes: maxBytes, downloadTime: maxTime } = limits;
  const began = performance.now();
  const bytes = await download(url, file, { maxBytes, maxTime, signal });
  const what = describeLocation(options.source);
  const fetched = { what, bytes, durationMs: performance.now() - began };
  try {
    const name = nameIn(url);
    return { ...await unpackFile(file, name, options, budget), fetched };
  } finally {
    await rm(file, { force: true });
  }
}

/** The last part of an address that can be the name of a file. */
function nameIn(url: URL): string {
  const last = url.pathname.split("/").filter((part) => part !== "").at(-1) ?? url.hostname;
  const safe = last.replace(/[^A-Za-z0-9_.-]/g, "-").slice(0, 100);
  return /^\.*$/.test(safe) ? "plugin" : safe;
}

async function unpackFile(
  path: string,
  name: string,
  options: UnpackOptions,
  budget: SourceBudget,
): Promise<Found> {
  const kind = await fileKind(path, name);
  if (kind === undefined) {
    throw refusal(
      describeLocation(options.source),
      `give a directory, a .zip, .tar, .tar.gz or .tgz, or one module (${
        MODULE_EXTENSIONS.join(", ")
      })`,
    );
  }
  await unpackAs(kind, path, name, options, budget);
  const stem = stemOf(name);
  return kind === "module" ? { kind: "file", stem, file: name } : { kind: "archive", stem };
}

async function unpackAs(
  kind: FileKind,
  path: string,
  name: string,
  { root, signal }: UnpackOptions,
  budget: SourceBudget,
): Promise<void> {
  switch (kind) {
    case "zip":
      await mkdir(root);
      return await unpackZip(path, root, budget, signal);
    case "tar":
    case "tar.gz":
      return await unpackTar(path, root, { gzip: kind === "tar.gz", budget, signal });
    case "module": {
      const { size } = await stat(path);
      budget.addEntry();
      budget.addBytes(name, size, size);
      await mkdir(root);
      return await copyFile(path, join(root, name));
    }
  }
}

function refusal(source: string, why: string, cause?: unknown): HotplugError {
  return new HotplugError("source", `Cannot read the source ${quote(source)}: ${why}`, { cause });
}
