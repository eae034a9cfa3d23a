import type { Scn } from "../../artifact/mod.ts";
import type { GenerationState } from "./generation.ts";
import type { GenerationLife } from "./generation_life.ts";
import type { Tier } from "../settings/plugin_settings.ts";
import type { PluginSlot } from "./plugin_slot.ts";

/** How a generation stands. */
export interface GenerationStatus {
  /** Its sequence change number. */
  readonly scn: Scn;
  /** Where it runs. */
  readonly tier: Tier;
  /** What it is doing. */
  readonly state: GenerationState;
  /** Since when it is in that state, as an ISO 8601 time. */
  readonly since: string;
  /** When it was loaded, as an ISO 8601 time. */
  readonly loadedAt: string;
  /** SHA-256 of its content, in hex. */
  readonly sha256: string;
  /** The file that it was loaded from. */
  readonly path: string;
  /** How many leases, calls and iterators hold it. */
  readonly leases: number;
  /** How many calls were begun so far. */
  readonly calls: number;
  /** How many of them have failed so far. */
  readonly errors: number;
  /** How often its process or worker ended by itself. */
  readonly crashes: number;
  /** How many bytes of memory it holds, as far as its tier can tell. */
  readonly bytes: number;
}

/** How a plugin stands. */
export interface PluginStatus {
  /** Its name. */
  readonly name: string;
  /** The SCN of the generation that takes new calls; absent where none does. */
  readonly current?: Scn;
  /** After a rollback: nothing up to this SCN is loaded; absent where nothing is held. */
  readonly held?: Scn;
  /** Whether nothing is loaded until it is thawed. */
  readonly frozen: boolean;
  /** How many calls were begun so far, those of generations that are gone included. */
  readonly calls: number;
  /** How many of them have failed so far. */
  readonly errors: number;
  /** Its generations in memory, oldest first. */
  readonly generations: readonly GenerationStatus[];
}

/** How the plugin stands now. */
export function pluginStatus(name: string, slot: PluginSlot): PluginStatus {
  const { current, held, frozen, lives, sums: { calls, errors } } = slot;
  return {
    name,
    ...(current && { current: current.generation.scn }),
    ...(held > 0 && { held }),
    frozen,
    calls,
    errors,
    generations: lives.map(generationStatus),
  };
}

function generationStatus(life: GenerationLife): GenerationStatus {
  const { generation, calls, crashes, bytes, loadedAt, since } = life;
  const { scn, tier, state, sha256, path, leases } = generation;
  return {
    scn,
    tier,
    state,
    since: new Date(since).toISOString(),
    loadedAt: new Date(loadedAt).toISOString(),
    sha256,
    path,
    leases,
    calls: calls.begun,
    errors: calls.failed,
    crashes,
    bytes,
  };
}
