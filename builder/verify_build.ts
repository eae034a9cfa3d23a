import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "@std/path";
import {
  HotplugError,
  type InfoFile,
  infoFileName,
  MAX_INFO_BYTES,
  parseArtifactName,
  parseInfo,
  sha256Stream,
  targetOf,
} from "../artifact/mod.ts";
import { errnoOf } from "./files/fs_error.ts";
import { quote } from "./quote.ts";
import { build } from "./build.ts";
import { describeProgress } from "./describe_progress.ts";
import type { BuildOptions } from "./options.ts";
import { expandHome } from "./sources/source_location.ts";
import { makeWorkFolder } from "./files/work_folder.ts";

/** What to verify, and how it was built. What its info file says of that need not be given. */
export interface VerifyOptions extends
  Omit<
    BuildOptions,
    | "dest"
    | "scn"
    | "name"
    | "mode"
    | "targets"
    | "gzip"
    | "denoVersion"
    | "futureTolerance"
    | "sign"
  > {
  /** The path of the artifact; its info file lies beside it. */
  readonly artifact: string;
}

/** Something that a rebuild makes otherwise than the artifact has it. */
export interface VerifyDifference {
  /** The field of the info file, as `content.sha256`. */
  readonly field: string;
  /** What the artifact has. */
  readonly artifact: unknown;
  /** What the rebuild has. */
  readonly rebuilt: unknown;
}

/** What came of verifying a build. */
export interface VerifyResult {
  /** Whether the source builds this very artifact. */
  readonly same: boolean;
  /** What differs; empty if it is the same. */
  readonly differences: readonly VerifyDifference[];
  /**
   * Whether it is also the source that the artifact was built from, to the byte. Another one may
   * build the same artifact: comments are no part of it.
   */
  readonly sameSource: boolean;
  /** What the artifact's info file says. */
  readonly info: InfoFile;
}

/** What of an info file follows from source, options and toolchain; the first is what runs. */
const FIELDS: readonly (readonly [field: string, of: (info: InfoFile) => unknown])[] = [
  ["content.sha256", ({ content }) => content.sha256],
  ["artifact.sha256", ({ artifact }) => artifact.sha256],
  ["sourceMap.sha256", ({ sourceMap }) => sourceMap?.sha256],
  ["exports", ({ exports }) => exports],
  ["hooks", ({ hooks }) => hooks],
  ["imports", ({ imports }) => imports],
  ["optional", ({ optional }) => optional],
  ["requires", ({ requires }) => requires],
  ["permissions", ({ permissions }) => permissions],
];

/**
 * Tells whether a source builds an artifact: builds it again, with the Deno that its info file names
 * and for the same target, and compares. Nothing is published.
 *
 * Options that the info file does not tell (`define`, `main`, `minify`, `deps`, `buildArgs`, …) are
 * given as they were then.
 *
 * @example
 * ```ts
 * import { build, verifyBuild } from "@hotplug/hotplug/builder";
 * import { assert } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * try {
 *   const source = `${folder}/tax.ts`;
 *   await Deno.writeTextFile(source, "export const rate = () => 0.2;");
 *   const { artifacts } = await build({ source, dest: `${folder}/plugins` });
 *   const { same } = await verifyBuild({ artifact: artifacts[0]?.path ?? "", source });
 *   assert(same);
 * } finally {
 *   await Deno.remove(folder, { recursive: true });
 * }
 * ```
 *
 * @throws {HotplugError} With code `name`, `io`, `incomplete` or `info`, if the artifact or its info
 * file can't be read; `integrity`, if they don't agree; and as `build` does.
 */
export async function verifyBuild(options: VerifyOptions): Promise<VerifyResult> {
  const { artifact, ...rest } = options;
  const info = await readArtifact(resolve(expandHome(artifact)));
  await using work = await makeWorkFolder();
  const { artifacts: [made] } = await build({
    ...(info.permissions && { permissions: info.permissions }),
    ...(info.requires?.contract !== undefined && { contract: info.requires.contract }),
    optional: info.optional,
    ...(info.mode === "module" && { sourcemap: info.sourceMap !== undefined }),
    ...rest,
    ...withoutPublishing(rest),
    name: info.name,
    mode: info.mode,
    targets: [targetOf(info.runtime)],
    gzip: info.artifact.compression === "gzip",
    denoVersion: info.runtime.version,
    dest: join(work.path, "rebuilt"),
  });
  const rebuilt = made?.info ?? info;
  const differences = FIELDS.map(([field, of]) => ({
    field,
    artifact: of(info),
    rebuilt: of(rebuilt),
  })).filter(({ artifact, rebuilt }) => JSON.stringify(artifact) !== JSON.stringify(rebuilt));
  return {
    same: differences.length === 0,
    differences,
    sameSource: info.source.sha256 === rebuilt.source.sha256,
    info,
  };
}

/** Where a rebuild comes to lie is nobody's concern. */
function withoutPublishing(
  { logger, onProgress }: Pick<BuildOptions, "logger" | "onProgress">,
): Pick<BuildOptions, "logger" | "onProgress"> {
  return {
    ...(logger && {
      logger: {
        debug: (message) => logger.debug(message),
        info() {},
        warn: (message) => logger.warn(message),
      },
    }),
    onProgress(progress) {
      if (progress.type === "reserved" || progress.type === "published") return;
      logger?.info(describeProgress(progress));
      onProgress?.(progress);
    },
  };
}

/** Reads what an artifact's info file says, once it is known to be said of this file. */
async function readArtifact(path: string): Promise<InfoFile> {
  const name = parseArtifactName(basename(path));
  const infoPath = join(dirname(path), infoFileName(name));
  const bytes = await readFile(infoPath).catch((cause: unknown) => {
    const missing = errnoOf(cause) === "ENOENT";
    throw new HotplugError(
      missing ? "incomplete" : "io",
      `Cannot verify ${quote(path)}: its info file ${quote(infoPath)} ` +
        `${missing ? "is not there" : "can't be read"}; it lies beside the artifact`,
      { cause },
    );
  });
  const { info } = parseInfo(bytes.subarray(0, MAX_INFO_BYTES + 1));
  const { size, sha256 } = await digestOf(path);
  const { artifact: stated } = info;
  if (stated.file === basename(path) && stated.size === size && stated.sha256 === sha256) {
    return info;
  }
  throw new HotplugError(
    "integrity",
    `Cannot verify ${quote(path)}: it is not the file that its info file tells of, which has ` +
      `${stated.size} bytes and the SHA-256 ${stated.sha256}; it has ${size} and ${sha256}`,
  );
}

async function digestOf(path: string): Promise<{ size: number; sha256: string }> {
  try {
    return await sha256Stream(createReadStream(path));
  } catch (cause) {
    throw new HotplugError("io", `Cannot read the artifact ${quote(path)}; check the path`, {
      cause,
    });
  }
}
