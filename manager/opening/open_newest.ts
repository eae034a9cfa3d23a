import { readdir } from "node:fs/promises";
import { join, resolve } from "@std/path";
import { assertPluginName, HotplugError, type Scn } from "../../artifact/mod.ts";
import { refusalError } from "./admit.ts";
import { type Candidate, type Choice, choose } from "./choose.ts";
import type { Generation } from "../generations/generation.ts";
import { pause } from "../deadline.ts";
import type { ResolvedManagerOptions } from "../settings/options.ts";
import { PluginOutdatedError } from "./outdated.ts";
import { markOf, sameMark, unsettledFor } from "./settle.ts";

/** What opening the newest needs of its manager. */
export interface NewestWorld {
  /** How the manager behaves. */
  readonly options: ResolvedManagerOptions;
  /** The generation that takes new calls. */
  current(name: string): Generation | undefined;
  /** Whether a rollback or a freeze keeps an SCN of the plugin out. */
  isHeld(name: string, scn: Scn): boolean;
  /** Aborted when the manager closes. */
  readonly closing: AbortSignal;
  /** Opens one artifact. */
  open(path: string): Promise<Generation>;
  /** Told of what is newer but not for this host. */
  refused(error: HotplugError, path: string): void;
}

/**
 * Opens the newest artifact of a plugin in a folder that loads.
 *
 * The candidates are tried from the newest down to the current generation; one that fails is told
 * as an event, and the next one is tried.
 */
export async function openNewest(
  directory: string,
  name: string,
  world: NewestWorld,
): Promise<Generation> {
  assertPluginName(name);
  const folder = resolve(directory);
  const choice = await chooseIn(folder, name, world);
  for (const { file, refusal } of choice?.skips ?? []) {
    world.refused(refusalError(file, refusal), join(folder, file));
  }
  let first: unknown;
  for (const candidate of choice?.candidates ?? []) {
    try {
      return await openSettled(candidate, world);
    } catch (error) {
      first ??= error;
    }
  }
  throw first ?? nothingNewer(folder, name, world);
}

async function chooseIn(
  directory: string,
  name: string,
  world: NewestWorld,
): Promise<Choice | undefined> {
  let files: string[];
  try {
    files = await readdir(directory);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HotplugError("io", `Cannot list "${directory}": ${why}`, { cause });
  }
  return choose([{ directory, files }], {
    options: world.options,
    currentScn: (each) => world.current(each)?.scn,
    isHeld: (each, scn) => world.isHeld(each, scn),
    now: Date.now(),
  }).get(name);
}

/** Opens a candidate; a bare one once its size and time stood still. */
async function openSettled(candidate: Candidate, world: NewestWorld): Promise<Generation> {
  const path = join(candidate.directory, candidate.file);
  if (candidate.bare && !world.options.requireInfo) {
    await settled(path, world.options.bareSettle, world.closing);
  }
  return await world.open(path);
}

async function settled(path: string, settle: number, signal: AbortSignal): Promise<void> {
  let mark = await markOf(path);
  while (mark) {
    const wait = unsettledFor(mark, settle, Date.now());
    if (wait === 0) return;
    await pause(wait, signal);
    const next = await markOf(path);
    if (sameMark(mark, next)) return;
    mark = next;
  }
}

function nothingNewer(directory: string, name: string, world: NewestWorld): HotplugError {
  const current = world.current(name);
  if (!current) {
    return new HotplugError(
      "not-found",
      `No artifact of plugin "${name}" in "${directory}" fits this host; build one into it`,
    );
  }
  return new PluginOutdatedError(
    `Nothing in "${directory}" is newer than SCN ${current.scn} of plugin "${name}"`,
    current.scn,
    current,
  );
}
