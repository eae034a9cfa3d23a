import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "@std/path";
import { gunzipSync } from "node:zlib";
import {
  type ArtifactContent,
  DEFAULT_MAX_MODULE_BYTES,
  formatTarget,
  HotplugError,
  type InfoFile,
  parseInfo,
  parseTarget,
  sha256,
  sha256Stream,
} from "../../artifact/mod.ts";
import { quote } from "../quote.ts";
import type { BuildAnswer } from "../protocol/build_answer.ts";
import type { BuildConfig } from "../build_config.ts";
import type { BuiltTarget } from "../build_targets.ts";
import { finishModule } from "../built_module.ts";
import type { MadeTargets } from "../made_targets.ts";
import { packSources } from "./pack_source.ts";
import { postBuild } from "./post_build.ts";
import { readFailure } from "../protocol/problem.ts";
import { receiveAnswer } from "./receive_answer.ts";
import type { RemoteConfig } from "../remote_config.ts";

type Config = BuildConfig & { readonly remote: RemoteConfig };
type AnsweredArtifact = BuildAnswer["artifacts"][number];

/**
 * Has a build service make the targets of a build. What it answers is taken for what it is: sizes
 * and digests are computed here, what a module exports and imports is read from it, and that it was
 * built from this source, for these targets and this Deno is compared.
 *
 * @throws {HotplugError} With the code of what failed there; `remote`, if the service can't be
 * reached or its answer is not sound; `integrity`, if files are not what it says they are.
 */
export async function buildRemotely(config: Config, workFolder: string): Promise<MadeTargets> {
  const { remote, onProgress, signal } = config;
  const { parts, sha256 } = await packSources(config, workFolder);
  const began = performance.now();
  const body = await postBuild(remote, parts, signal);
  const { answer, folder, bytes } = await receiveAnswer(body, join(workFolder, "answer")).catch(
    (cause: unknown) => {
      if (cause instanceof HotplugError && cause.code === "remote") throw cause;
      if (signal?.aborted) {
        throw new HotplugError("cancelled", "The build was cancelled", { cause });
      }
      const why = cause instanceof Error ? cause.message : String(cause);
      throw refusal(remote, `its answer does not come whole: ${why}; try again`, cause);
    },
  );
  onProgress({ type: "fetched", what: remote.label, bytes, durationMs: performance.now() - began });
  checkAnswer(answer, sha256, config);
  const { name, version, sourceSha256, artifacts, failures } = answer;
  const built: BuiltTarget[] = [];
  for (const artifact of artifacts) built.push(await readTarget(artifact, folder, answer, config));
  return {
    plugin: { name, version, sourceSha256 },
    built,
    failures: failures.map(readFailure),
  };
}

/** An answer about something else than what was asked is worse than none. */
function checkAnswer(answer: BuildAnswer, sourceSha256: string, config: Config): void {
  const { remote, targets, name } = config;
  const { request: { denoVersion } } = remote;
  if (answer.sourceSha256 !== sourceSha256) {
    throw refusal(remote, "it built from another source than it was sent");
  }
  if (answer.version !== denoVersion) {
    throw refusal(remote, `it built for Deno ${quote(answer.version)}, not for ${denoVersion}`);
  }
  if (name !== undefined && answer.name !== name) {
    throw refusal(remote, `it built ${quote(answer.name)}, not ${quote(name)}`);
  }
  const answered = [...answer.artifacts, ...answer.failures].map(({ target }) => target);
  const asked = targets.map(formatTarget);
  if (answered.toSorted().join() === asked.toSorted().join()) return;
  throw refusal(remote, `it built ${quote(answered.join(", "))}, not ${asked.join(", ")}`);
}

async function readTarget(
  { target, file, info: infoFile, sourceMap, content }: AnsweredArtifact,
  folder: string,
  { name, version }: BuildAnswer,
  config: Config,
): Promise<BuiltTarget> {
  const { info } = parseInfo(await readFile(join(folder, infoFile)));
  const read = parseTarget(target);
  const { runtime, artifact, mode, permissions = {} } = info;
  const told = [info.name, mode, runtime.version, runtime.os, runtime.arch, artifact.file];
  const wanted = [name, config.mode, version, read.os, read.arch, file];
  told.push(JSON.stringify(permissions));
  wanted.push(JSON.stringify(config.permissions ?? {}));
  if (JSON.stringify(told) !== JSON.stringify(wanted)) {
    throw refusal(config.remote, `the info file for ${target} tells of something else`);
  }
  const path = join(folder, file);
  agree(await digestOf(path), artifact, file);
  if (mode === "executable") {
    const module = await readModule(join(folder, content ?? file), info, undefined, config);
    const { size, sha256 } = artifact;
    return { target: read, module, executable: { path, size, sha256 } };
  }
  const map = sourceMap === undefined ? undefined : join(folder, sourceMap);
  return { target: read, module: await readModule(path, info, map, config) };
}

async function readModule(
  path: string,
  info: InfoFile,
  mapPath: string | undefined,
  { optional }: Config,
): Promise<BuiltTarget["module"]> {
  const packed = info.mode === "module" && info.artifact.compression === "gzip";
  const bytes = await readFile(path);
  const plain = packed ? unpack(bytes, path) : bytes;
  agree({ size: plain.byteLength, sha256: sha256(plain) }, info.content, path);
  const map = mapPath === undefined ? undefined : await readFile(mapPath, "utf8");
  if (map !== undefined && sha256(map) !== info.sourceMap?.sha256) throw changed(mapPath ?? "");
  // The link to a map has been cut already where there is none.
  const bundle = { code: new TextDecoder().decode(plain), map: map ?? "" };
  const { map: _, ...module } = await finishModule(bundle, { optional, sourcemap: true });
  return map === undefined ? module : { ...module, map };
}

function unpack(bytes: Uint8Array, path: string): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: DEFAULT_MAX_MODULE_BYTES });
  } catch (cause) {
    throw changed(path, cause);
  }
}

async function digestOf(path: string): Promise<ArtifactContent> {
  return await sha256Stream(createReadStream(path));
}

function agree(found: ArtifactContent, told: ArtifactContent, path: string): void {
  if (found.size !== told.size || found.sha256 !== told.sha256) throw changed(path);
}

function changed(path: string, cause?: unknown): HotplugError {
  const file = quote(basename(path));
  return new HotplugError(
    "integrity",
    `Cannot publish what the build service answered: ${file} is not what its info file says`,
    { cause },
  );
}

function refusal({ label }: RemoteConfig, why: string, cause?: unknown): HotplugError {
  return new HotplugError("remote", `Cannot build at ${quote(label)}: ${why}`, { cause });
}
