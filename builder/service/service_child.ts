/**
 * The child of a build service in which one build runs: it finds what to do in the folder that is
 * its only argument, and leaves there what came of it.
 *
 * @module
 */

import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "@std/path";
import { artifactStem, formatTarget, HotplugError, scnFromDate } from "../../artifact/mod.ts";
import { type BuildConfig, resolveBuildOptions } from "../build_config.ts";
import type { BuildAnswer } from "../protocol/build_answer.ts";
import { makeTargets } from "../make_targets.ts";
import type { MadeTargets } from "../made_targets.ts";
import type { BuildOptions } from "../options.ts";
import { problemOf, tellFailure } from "../protocol/problem.ts";
import { readUpload, type Upload } from "./read_upload.ts";
import {
  BODY_FILE,
  type ChildOutcome,
  type ChildRequest,
  OUTCOME_FILE,
  OUTPUT_FOLDER,
  REQUEST_FILE,
} from "./service_build.ts";
import { artifactNames, stage } from "../stage.ts";
import { makeWorkFolder } from "../files/work_folder.ts";

async function run(folder: string, signal: AbortSignal): Promise<ChildOutcome> {
  const text = await Deno.readTextFile(join(folder, REQUEST_FILE));
  const { contentType, own } = JSON.parse(text) as ChildRequest;
  const dest = join(folder, OUTPUT_FOLDER);
  try {
    const upload = await readUpload(join(folder, BODY_FILE), contentType, join(folder, "parts"));
    const config = resolveBuildOptions({ ...optionsOf(upload), ...own, dest, signal });
    await using work = await makeWorkFolder();
    const made = await makeTargets(config, work.path);
    return { type: "built", answer: await write(made, config) };
  } catch (error) {
    // What nobody has foreseen ends the child, with its trace.
    if (!(error instanceof HotplugError)) throw error;
    return { type: "failed", problem: problemOf(error) };
  }
}

function optionsOf({ request, source, deps }: Upload): BuildOptions {
  const given = Object.entries(request).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), source, deps, dest: "" };
}

/** Writes what a destination would get, and of an executable its module too. */
async function write(
  { plugin, built, failures }: MadeTargets,
  config: BuildConfig,
): Promise<BuildAnswer> {
  const scn = config.scn ?? scnFromDate(new Date());
  const { artifacts, files } = await stage(plugin, built, config, scn);
  await mkdir(config.dest);
  for (const { file, content } of files) {
    const path = join(config.dest, file);
    if (typeof content === "string") await rename(content, path);
    else await writeFile(path, content, { flag: "wx" });
  }
  const answered: BuildAnswer["artifacts"] = [];
  const names = artifactNames(plugin, built, config, scn);
  for (const [index, { info, target, infoPath }] of artifacts.entries()) {
    const module = built[index]?.executable && built[index]?.module;
    const name = names[index];
    const content = module && name ? `${artifactStem(name)}.content.mjs` : undefined;
    if (module && content) await writeFile(join(config.dest, content), module.code, { flag: "wx" });
    answered.push({
      target: formatTarget(target),
      file: info.artifact.file,
      info: infoPath.slice(config.dest.length + 1),
      ...(info.sourceMap && { sourceMap: info.sourceMap.file }),
      ...(content && { content }),
    });
  }
  const { name, version, sourceSha256 } = plugin;
  return { name, version, sourceSha256, artifacts: answered, failures: failures.map(tellFailure) };
}

if (import.meta.main) {
  const [folder = ""] = Deno.args;
  const stop = new AbortController();
  const input = Deno.stdin.readable.getReader();
  // Nothing is ever written to it: its end is that of the service, or of its interest.
  const watched = input.read().then(() => stop.abort(), () => stop.abort());
  const outcome = await run(folder, stop.signal);
  const file = join(folder, OUTCOME_FILE);
  await Deno.writeTextFile(`${file}.new`, JSON.stringify(outcome));
  await Deno.rename(`${file}.new`, file);
  await input.cancel();
  await watched;
}
