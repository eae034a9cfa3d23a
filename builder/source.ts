import { copyFile, mkdir, realpath, stat } from "node:fs/promises";
import { basename, extname, join } from "@std/path";
import { HotplugError } from "../artifact/mod.ts";
import { errnoOf } from "./_fs_error.ts";
import { quote } from "./_quote.ts";
import { copyDirectory } from "./directory_source.ts";
import { digestSource } from "./source_digest.ts";
import { SourceBudget, type SourceLimits } from "./source_limits.ts";
import { unpackZip } from "./zip_source.ts";

/** A source, unpacked into a private folder. */
export interface UnpackedSource {
  /** What it came as. */
  readonly kind: "directory" | "zip" | "file";
  /** Its own name, without an extension: what a plugin is called when nothing else names it. */
  readonly stem: string;
  /** The private folder. */
  readonly root: string;
  /** The one file's name, if it came as a single file. */
  readonly file?: string;
  /** How many files and folders there are. */
  readonly entries: number;
  /** How many bytes the files hold. */
  readonly bytes: number;
  /** The tree's digest, see {@linkcode digestSource}. */
  readonly sha256: string;
}

/** What {@linkcode unpackSource} needs; the paths are absolute. */
export interface UnpackOptions {
  /** The directory, the `.zip` or the module. */
  readonly source: string;
  /** Where to unpack it; made here. */
  readonly root: string;
  /** How much it may hold. */
  readonly limits: Required<SourceLimits>;
  /** A folder to leave out, where artifacts of earlier builds may lie. */
  readonly dest: string;
  /** Stops it. */
  readonly signal?: AbortSignal | undefined;
}

const MODULE_EXTENSIONS: ReadonlySet<string> = new Set(
  [".ts", ".mts", ".tsx", ".js", ".mjs", ".jsx"],
);

/**
 * Brings a source, in whatever form it comes, into a private folder.
 *
 * @throws {HotplugError} With code `source`, if it is not there, of no known kind or not sound.
 */
export async function unpackSource(options: UnpackOptions): Promise<UnpackedSource> {
  const { source, root, limits, signal } = options;
  const kind = await kindOf(source);
  const budget = new SourceBudget(source, limits);
  await mkdir(root, { recursive: true });
  switch (kind) {
    case "directory": {
      const skip = [await realpath(options.dest).catch(() => options.dest)];
      await copyDirectory(source, root, budget, signal ? { skip, signal } : { skip });
      break;
    }
    case "zip":
      await unpackZip(source, root, budget, signal);
      break;
    case "file": {
      const { size } = await stat(source);
      budget.addEntry();
      budget.addBytes(basename(source), size, size);
      await copyFile(source, join(root, basename(source)));
      break;
    }
    default:
      kind satisfies never;
  }
  const name = basename(await realpath(source));
  return {
    kind,
    stem: kind === "directory" ? name : basename(source, extname(source)),
    root,
    ...(kind === "file" ? { file: basename(source) } : {}),
    entries: budget.entries,
    bytes: budget.bytes,
    sha256: await digestSource(root),
  };
}

async function kindOf(source: string): Promise<UnpackedSource["kind"]> {
  const info = await stat(source).catch((cause: unknown) => {
    const why = errnoOf(cause) === "ENOENT"
      ? "there is no such file or folder"
      : "it can't be read";
    throw refusal(source, `${why}; check the path`, cause);
  });
  if (info.isDirectory()) return "directory";
  const extension = extname(source).toLowerCase();
  if (!info.isFile()) throw refusal(source, "it is neither a file nor a folder");
  if (extension === ".zip") return "zip";
  if (MODULE_EXTENSIONS.has(extension)) return "file";
  throw refusal(
    source,
    `give a directory, a .zip, or one module (${[...MODULE_EXTENSIONS].join(", ")})`,
  );
}

function refusal(source: string, why: string, cause?: unknown): HotplugError {
  return new HotplugError("source", `Cannot read the source ${quote(source)}: ${why}`, { cause });
}
