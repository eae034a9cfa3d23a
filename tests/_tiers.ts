import { join } from "@std/path";
import { nextScn, parseScn } from "../artifact/mod.ts";
import { build } from "../builder/mod.ts";
import { type Generation, type ManagerOptions, PluginManager, type Tier } from "../manager/mod.ts";
import { type ArtifactInit, writeArtifact } from "./_artifacts.ts";
import { collectEvents, type EventCollector } from "./_events.ts";
import { tempDirectory } from "./_temp.ts";
import type { ManagerEvent } from "../manager/mod.ts";

/** The tiers. */
export const TIERS: readonly Tier[] = ["inline", "worker", "process"];

/** The tiers that have an isolate of their own. */
export const REMOTE_TIERS: readonly Exclude<Tier, "inline">[] = ["worker", "process"];

/** A manager with a folder for artifacts, and what it tells. */
export interface TierFixture extends AsyncDisposable {
  readonly manager: PluginManager;
  readonly events: EventCollector<ManagerEvent>;
  readonly directory: string;
  /** Writes a module artifact and opens it; each one is newer than the one before. */
  open(source: string, init?: ArtifactInit): Promise<Generation>;
  /** Writes a module artifact; each one is newer than the one before. */
  write(source: string, init?: ArtifactInit): Promise<string>;
}

/** Makes the fixture: `await using fixture = await tierFixture({ tier: "process" })`. */
export async function tierFixture(options: ManagerOptions): Promise<TierFixture> {
  const directory = await tempDirectory();
  const manager = new PluginManager(options);
  const events = collectEvents(manager);
  let scn = parseScn("20240101000000");
  const write = async (source: string, init: ArtifactInit = {}): Promise<string> =>
    (await writeArtifact(directory.path, source, { scn: scn = nextScn(scn), ...init })).path;
  return {
    manager,
    events,
    directory: directory.path,
    write,
    open: async (source, init) => await manager.open(await write(source, init)),
    async [Symbol.asyncDispose]() {
      await manager.close();
      events[Symbol.dispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Builds a plugin of TypeScript, and answers with the path of its module. */
export async function buildModule(folder: string, source: string): Promise<string> {
  await Deno.writeTextFile(join(folder, "plugin.ts"), source);
  const { artifacts } = await build({
    source: join(folder, "plugin.ts"),
    dest: join(folder, "dest"),
    check: false,
  });
  const [artifact] = artifacts;
  if (!artifact) throw new Error("The build made nothing");
  return artifact.path;
}
