import { basename } from "@std/path";
import { type ErrorCode, HotplugError, tryParseArtifactName } from "../../artifact/mod.ts";
import type { Generation, OpenOptions, PluginManager, WhichVersion } from "../../manager/mod.ts";
import type { DaemonState } from "../state/daemon_state.ts";
import type { MemoryBudget } from "../memory_budget.ts";
import { LoadTurns } from "./load_turns.ts";
import type { NotedLoad } from "../state/noted_load.ts";
import type { KeptGeneration } from "../state/state_record.ts";

/**
 * So what is current keeps its place. Not one that what is reopened takes the place of: it is a bad one, or
 * was reopened for want of that, or to be beside it, and has nothing that would be lost.
 */
const KEEPS: ReadonlySet<ErrorCode> = new Set(["quiesce", "handover"]);

/** What a loader needs of its daemon. */
export interface LoaderWorld {
  /** What opens the artifacts. */
  readonly manager: Pick<PluginManager, "open" | "approve" | "current">;
  /** What outlives the process, once it is at hand; undefined where nothing does. */
  readonly state: () => DaemonState | undefined;
  /** How much memory there may be. */
  readonly budget: MemoryBudget;
  /** The watched folder that a path lies in. */
  readonly rootOf: (path: string) => string | undefined;
}

/** Opens artifacts for a daemon: within its folders and its budget, each load noted in the journal. */
export class Loader {
  readonly #world: LoaderWorld;
  readonly #turns = new LoadTurns();

  /** Makes the loader of a daemon. */
  constructor(world: LoaderWorld) {
    this.#world = world;
  }

  /** Opens an artifact, see {@linkcode PluginManager.open}; `begins` is called as its turn comes. */
  async open(
    path: string,
    { begins, signal }: { readonly begins?: () => void; readonly signal?: AbortSignal } = {},
  ): Promise<Generation> {
    const root = this.#world.rootOf(path);
    const own = { ...(signal && { signal }), ...(root !== undefined && { root }) };
    const open = (notes: Notes): Promise<Generation> =>
      this.#world.manager.open(path, { ...own, ...this.#withRoom(notes) });
    return await this.#inTurn(path, () => {
      begins?.();
      return this.#noted(open);
    });
  }

  /** Opens a version that waits for an approval; see {@linkcode PluginManager.approve}. */
  async approve(name: string, which?: WhichVersion): Promise<Generation> {
    return await this.#noted((notes) =>
      this.#world.manager.approve(name, which, this.#withRoom(notes))
    );
  }

  /** Opens what was current in an earlier process, from the path. */
  async reopen(
    path: string,
    { sha256, permissions }: KeptGeneration,
    how: ReopenHow = {},
  ): Promise<Generation> {
    // From where it was found, links are followed as they were then.
    const root = this.#world.rootOf(path);
    const own = {
      reopen: { sha256, ...(permissions && { permissions }), ...how },
      ...(root !== undefined && { root }),
    };
    const open = (hooks: Pick<OpenOptions, "handover">): Promise<Generation> =>
      this.#noted((notes) => this.#world.manager.open(path, { ...own, ...hooks, ...notes }));
    return await this.#inTurn(path, () =>
      open({}).catch((error) => {
        if (!(error instanceof HotplugError) || !KEEPS.has(error.code)) throw error;
        return open({ handover: false });
      }));
  }

  async #inTurn(path: string, open: () => Promise<Generation>): Promise<Generation> {
    const name = tryParseArtifactName(basename(path))?.name;
    const serves = name !== undefined && this.#world.manager.current(name) !== undefined;
    const end = await this.#turns.next(serves);
    try {
      return await open();
    } finally {
      end();
    }
  }

  /** What is new is opened only where there is memory for it. */
  #withRoom({ begins, verified }: Notes): Notes {
    return {
      begins,
      verified: async (artifact) => {
        this.#world.budget.assertRoom(basename(artifact.path));
        await verified(artifact);
      },
    };
  }

  /** The journal's flush goes on while the artifact is read and verified, and is over before it runs. */
  async #noted(open: (notes: Notes) => Promise<Generation>): Promise<Generation> {
    let load: NotedLoad | undefined;
    let fault: unknown;
    try {
      return await open({
        begins: (entry) => {
          load = this.#world.state()?.begin(entry);
        },
        verified: async (artifact) => {
          load?.hold(artifact);
          await load?.written;
        },
      });
    } catch (error) {
      fault = error;
      throw error;
    } finally {
      await load?.end(fault instanceof HotplugError ? fault.code : undefined);
    }
  }
}

/** How something is reopened. */
export type ReopenHow = Omit<NonNullable<OpenOptions["reopen"]>, "sha256" | "permissions">;

type Notes = Required<Pick<OpenOptions, "begins" | "verified">>;
