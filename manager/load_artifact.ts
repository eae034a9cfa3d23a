import { HotplugError, isHook } from "../artifact/mod.ts";
import { abortSignal } from "./abort_signal.ts";
import { activate } from "./activate.ts";
import { checkLeftovers } from "./check_leftovers.ts";
import { stackOf } from "./describe_error.ts";
import { createGeneration, type GenerationControl } from "./generation.ts";
import { importModule, nextOrdinal } from "./import_module.ts";
import type { Location } from "./locate.ts";
import type { ResolvedManagerOptions } from "./options.ts";
import type { Incident, PluginScope } from "./plugin_scope.ts";
import type { PlacedModule, PrivateFolder, PrivateStore } from "./private_store.ts";
import type { ReadArtifact } from "./read_artifact.ts";
import type { ScopeKeeper } from "./scope_keeper.ts";

/** What a load needs of its manager. */
export interface LoadWorld {
  /** How the manager behaves. */
  readonly options: ResolvedManagerOptions;
  /** Where verified bytes are placed. */
  readonly store: PrivateStore;
  /** The scopes of what is loaded. */
  readonly scopes: ScopeKeeper;
  /** Aborted when the manager closes, or who opens it gives it up. */
  readonly closing: AbortSignal;
  /** Told of what a plugin's code does later. */
  incident(location: Location, incident: Incident): void;
}

/** A generation that is ready to be flipped to. */
export interface LoadedArtifact {
  /** The generation's control. */
  readonly control: GenerationControl;
  /** Ends the generation's `signal`. */
  readonly abort: (reason: unknown) => void;
}

/**
 * The load sequence: read, place, check leftovers, load, activate.
 *
 * A failure at any point leaves nothing behind but what the runtime keeps of a module.
 */
export async function loadArtifact(
  location: Location,
  read: () => Promise<ReadArtifact>,
  world: LoadWorld,
): Promise<LoadedArtifact> {
  const { name, scn } = location.parts;
  const folder = world.store.reserve(name, scn, nextOrdinal());
  try {
    const artifact = await read();
    const placed = await place(folder, artifact, location, world);
    return await start(location, artifact, placed, world);
  } catch (error) {
    // The trace is made from the source map when it is first asked for, so before that goes.
    if (error instanceof HotplugError) stackOf(error.cause);
    await world.store.remove(folder);
    throw error;
  }
}

/** Writes the content, and scans it while it is being written. */
async function place(
  folder: PrivateFolder,
  artifact: ReadArtifact,
  { file, parts }: Location,
  { store }: LoadWorld,
): Promise<PlacedModule> {
  const placing = store.place(folder, artifact, parts.scn);
  const checking = checkLeftovers(artifact.content, artifact.info?.optional ?? [], file);
  // Both to their end, or the folder would be removed while it is being written to.
  await Promise.allSettled([placing, checking]);
  await checking;
  return await placing;
}

async function start(
  location: Location,
  artifact: ReadArtifact,
  placed: PlacedModule,
  { options, scopes, closing: signal, incident }: LoadWorld,
): Promise<LoadedArtifact> {
  const { name, scn } = location.parts;
  const scope: PluginScope = {
    name,
    scn,
    directoryUrl: placed.directoryUrl,
    report: (what) => incident(location, what),
  };
  // It stays known even if the load fails: a timer of its top level may throw later.
  scopes.add(scope);
  const module = await importModule(placed.url, location.file, scope, {
    milliseconds: options.loadDeadline,
    signal,
  });
  const controller = new AbortController();
  const abort = (reason: unknown): void => abortSignal(scope, controller, reason);
  const context = { name, scn, signal: controller.signal, config: configOf(options, name) };
  try {
    await activate(module, context, scope, { milliseconds: options.activateDeadline, signal });
  } catch (error) {
    abort(error);
    throw error;
  }
  scopes.keep(scope);
  return {
    control: createGeneration({
      parts: location.parts,
      path: location.path,
      sha256: artifact.sha256,
      info: artifact.info,
      symbols: Object.keys(module).filter((each) => !isHook(each)).sort(),
      module,
      scope,
    }),
    abort,
  };
}

/** By own key: a plugin may well be named `constructor`. */
function configOf({ config }: ResolvedManagerOptions, name: string): unknown {
  return Object.hasOwn(config, name) ? config[name] : undefined;
}
