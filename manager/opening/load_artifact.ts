import { HotplugError } from "../../artifact/mod.ts";
import { demandsOf } from "../artifacts/demands.ts";
import { checkLeftovers } from "../artifacts/check_leftovers.ts";
import { stackOf } from "../describe_error.ts";
import { GenerationLife, type LifeWorld } from "../generations/generation_life.ts";
import { nextOrdinal } from "../tiers/import_module.ts";
import type { Location } from "../artifacts/locate.ts";
import type { ResolvedManagerOptions } from "../settings/options.ts";
import type { Incident, PluginScope } from "../guards/plugin_scope.ts";
import { settingsOf } from "../settings/plugin_settings.ts";
import type { PlacedModule, PrivateFolder, PrivateStore } from "../artifacts/private_store.ts";
import type { ReadArtifact } from "../artifacts/read_artifact.ts";
import type { ScopeKeeper } from "../guards/scope_keeper.ts";
import { StackMapper } from "../tiers/stack_mapper.ts";
import { startInstance } from "../tiers/start_instance.ts";

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
  /** What the generations tell, once they are. */
  readonly life: LifeWorld;
  /** Told of what a plugin's code does later. */
  incident(location: Location, incident: Incident): void;
}

/**
 * The first half of the load sequence: read, place, check leftovers, load. What comes of it is not
 * active yet.
 *
 * A failure at any point leaves nothing behind but what the runtime keeps of a module.
 */
export async function loadArtifact(
  location: Location,
  read: () => Promise<ReadArtifact>,
  world: LoadWorld,
  beforeStart: () => void | Promise<void> = () => {},
): Promise<GenerationLife> {
  const { name, scn } = location.parts;
  const folder = world.store.reserve(name, scn, nextOrdinal());
  try {
    const artifact = await read();
    const placed = location.parts.mode === "executable"
      ? await world.store.placeExecutable(folder, location, artifact)
      : await place(folder, artifact, location, world);
    await beforeStart();
    return await start({ location, artifact, placed, folder }, world);
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

interface Placed {
  readonly location: Location;
  readonly artifact: ReadArtifact;
  readonly placed: PlacedModule;
  readonly folder: PrivateFolder;
}

async function start(
  { location, artifact, placed, folder }: Placed,
  { options, scopes, store, closing, life: lifeWorld, incident: tell }: LoadWorld,
): Promise<GenerationLife> {
  const { parts, path } = location;
  const { sha256, info, signedBy } = artifact;
  const trust = demandsOf(options, parts.name).trust ?? [];
  const signers = trust.filter(({ id }) => signedBy.includes(id));
  let life: GenerationLife | undefined;
  const mapper = new StackMapper(placed.url, artifact.sourceMap);
  const incident = (what: Incident): void => {
    mapper.map(what.error);
    if (CRASHES.has(what.code)) life?.crashed();
    tell(location, what);
  };
  const scope: PluginScope = {
    name: parts.name,
    scn: parts.scn,
    directoryUrl: placed.directoryUrl,
    report: incident,
  };
  // It stays known even if the load fails: a timer of its top level may throw later.
  scopes.add(scope);
  const settings = settingsOf(options, parts, info);
  const request = {
    location,
    artifact,
    placed,
    options,
    settings,
    scope,
    mapper,
    signal: closing,
    incident,
  };
  const instance = await startInstance(request).catch((error) => {
    scopes.release(scope);
    throw error;
  });
  const discard = async (): Promise<void> => {
    // The scope stays known for a while, and must not keep all of the generation with it.
    life = undefined;
    scopes.release(scope);
    await store.remove(folder);
  };
  return life = new GenerationLife(
    { parts, path, sha256, info, signers, instance, settings, scope, discard },
    lifeWorld,
  );
}

/** A process that breaks the protocol is ended, and that is a crash of its plugin. */
const CRASHES: ReadonlySet<Incident["code"]> = new Set(["crashed", "protocol"]);
