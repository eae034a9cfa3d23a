import { createHash } from "node:crypto";
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "@std/path";
import { denoTriple, formatTarget, HotplugError, type Target } from "../../artifact/mod.ts";
import { errnoOf } from "../files/fs_error.ts";
import { quote } from "../quote.ts";
import { cached } from "./cached.ts";
import { throwIfCancelled } from "../cancel.ts";
import { download } from "../sources/download.ts";
import { hashFile } from "./integrity.ts";
import type { BuildProgress } from "../progress.ts";

/** Where the bases of executables come from, laid out as Deno's own download site. */
export type DenortMirror =
  | { readonly type: "folder"; readonly path: string }
  | { readonly type: "url"; readonly url: URL };

/** What {@linkcode findBase} needs. */
export interface BaseRequest {
  /** The mirror. */
  readonly mirror: DenortMirror;
  /** The version of the Deno that compiles. */
  readonly version: string;
  /** What the executable is for. */
  readonly target: Target;
  /** The folder for what is fetched. */
  readonly cacheDir: string;
  /** Stops it. */
  readonly signal?: AbortSignal | undefined;
  /** Told what was fetched. */
  readonly onProgress?: (progress: BuildProgress) => void;
}

const MAX_BASE_BYTES = 512 * 1024 * 1024;
const MAX_TIME_MS = 15 * 60 * 1000;
const MAX_SUM_BYTES = 4096;

/** The path of a base below the mirror, and below `dl` in the folder that Deno keeps them in. */
export function basePath(version: string, target: Target): string {
  return `release/v${version}/denort-${denoTriple(target)}.zip`;
}

/**
 * Answers with the path of the base that an executable is compiled on, as a `.zip`: in the mirror if
 * that is a folder, else in the cache.
 *
 * @throws {HotplugError} With code `compile`, if the mirror does not have it, or not whole.
 */
export async function findBase(request: BaseRequest): Promise<string> {
  const { mirror, version, target, cacheDir, signal } = request;
  const path = basePath(version, target);
  if (mirror.type === "folder") return await localBase(mirror.path, path, target);
  const url = new URL(path, mirror.url);
  try {
    const key = createHash("sha256").update(url.href).digest("hex").slice(0, 16);
    return await cached({
      folder: cacheDir,
      name: `denort-${version}-${target.os}-${target.arch}-${key}.zip`,
      make: (temporary) => fetchBase(request, url, temporary),
      signal,
    });
  } catch (cause) {
    throwIfCancelled(signal);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw failure(target, `${quote(url.href)} can't be had: ${why}`, cause);
  }
}

async function localBase(folder: string, path: string, target: Target): Promise<string> {
  const file = join(folder, path);
  const info = await stat(file).catch((cause: unknown) => {
    const why = errnoOf(cause) === "ENOENT" ? "is not there" : "can't be read";
    throw failure(target, `${quote(file)} ${why}`, cause);
  });
  if (info.isFile()) return file;
  throw failure(target, `${quote(file)} is no file`);
}

async function fetchBase(request: BaseRequest, url: URL, file: string): Promise<void> {
  const { version, target, signal, onProgress } = request;
  const began = performance.now();
  const limits = { maxBytes: MAX_BASE_BYTES, maxTime: MAX_TIME_MS, signal };
  const bytes = await download(url, file, limits).catch(withoutWrapping);
  const stated = await statedSum(url, `${file}.sum`, signal);
  if (stated !== undefined && stated !== await hashFile(file, "sha256", "hex")) {
    throw new Error(`its SHA-256 is not the one in ${quote(`${url.pathname}.sha256sum`)}`);
  }
  const what = `denort ${version} ${formatTarget(target)}`;
  onProgress?.({ type: "fetched", what, bytes, durationMs: performance.now() - began });
}

/** The digest that the official site has beside each file; a mirror may go without. */
async function statedSum(
  url: URL,
  file: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const sum = new URL(`${url.pathname}.sha256sum`, url);
  try {
    const limits = { maxBytes: MAX_SUM_BYTES, maxTime: MAX_TIME_MS, signal };
    await download(sum, file, limits);
    const text = await readFile(file, "utf8");
    return /\b[0-9a-f]{64}\b/i.exec(text)?.[0].toLowerCase();
  } catch (error) {
    const { cause } = error as HotplugError;
    if (cause instanceof Error && /answers 40[34]$/.test(cause.message)) return undefined;
    return withoutWrapping(error);
  } finally {
    await rm(file, { force: true });
  }
}

/** The download's own reason: what it was for is told once, by who wanted it. */
function withoutWrapping(error: unknown): never {
  if (error instanceof HotplugError && error.code === "source" && error.cause instanceof Error) {
    throw error.cause;
  }
  throw error;
}

function failure(target: Target, why: string, cause?: unknown): HotplugError {
  return new HotplugError(
    "compile",
    `Cannot compile for ${formatTarget(target)}: its base ${why}; put it into the mirror, or ` +
      `build without one to take Deno's own download`,
    { cause },
  );
}
