import { type ErrorCode, HotplugError, type Scn } from "../../artifact/mod.ts";
import type {
  Generation,
  ManagerEvent,
  PluginManager,
  RollbackOptions,
  WhichVersion,
} from "../../manager/mod.ts";
import type { DaemonState } from "../state/daemon_state.ts";
import type { Loader } from "./loader.ts";
import { reopenKept } from "./reopen.ts";
import type { QuarantinedVersion } from "../status.ts";

/** Nothing in memory can be gone back to: nothing is there, or it may do more than it is to by now. */
const BY_STORE: ReadonlySet<ErrorCode> = new Set(["not-found", "unsupported"]);

/** A rollback to what is kept. */
interface KeptRollback extends RollbackOptions {
  /** What was current, and is held from then on; undefined where nothing was. */
  readonly from: Scn | undefined;
  /** Whether nobody asked for it. */
  readonly automatic: boolean;
}

/** What the holds of a daemon's plugins are changed by. */
export interface HoldsWorld {
  /** What has the plugins loaded. */
  readonly manager: PluginManager;
  /** What opens the artifacts. */
  readonly loader: Loader;
  /** What outlives the process, once it is at hand; undefined where nothing does. */
  readonly state: () => DaemonState | undefined;
  /** Tells those who listen. */
  emit(event: ManagerEvent): void;
  /** Told that something of a plugin was opened by who asked for it. */
  opened(name: string): void;
  /** Told that what was asked for was not opened. */
  notOpened(name: string): void;
  /** Told that a version of a plugin was let out of quarantine. */
  released(name: string): void;
  /** Looks for what may be loaded now. */
  scan(): void;
}

/** What keeps versions of plugins out, as people ask for it; each change outlives the process. */
export class Holds {
  readonly #world: HoldsWorld;

  /** Makes it for a daemon. */
  constructor(world: HoldsWorld) {
    this.#world = world;
  }

  /** Takes an older generation back into use: one in memory, or what was current before a restart. */
  async rollback(name: string, options: RollbackOptions): Promise<Generation> {
    const generation = await this.#world.manager.rollback(name, options).catch((error) => {
      const from = this.#world.manager.current(name)?.scn;
      return this.#rollbackToKept(name, { ...options, from, automatic: false }, error);
    });
    await this.#saved();
    return generation;
  }

  /** Takes a plugin back that fails its probation, where nothing in memory may serve in its place. */
  async takeBack(
    { name, scn: from }: Generation,
    reason: string,
    error: HotplugError,
  ): Promise<void> {
    // Where nothing is beside it, it was not on trial: what served before a restart is long past then.
    if (error.code !== "unsupported") throw error;
    await this.#rollbackToKept(name, { reason, from, automatic: true }, error);
  }

  /** Lifts the hold of a rollback. */
  async release(name: string): Promise<boolean> {
    const { manager, state } = this.#world;
    const held = manager.release(name);
    // What was current before a restart, and can't be reopened, keeps what is older out as well.
    const barred = !held && (state()?.lower(name, manager.current(name)?.scn ?? 0) ?? false);
    if (barred) this.#world.scan();
    await this.#saved();
    return held || barred;
  }

  /** Keeps the plugin as it is. */
  async freeze(name: string): Promise<void> {
    this.#world.manager.freeze(name);
    await this.#saved();
  }

  /** Ends a freeze. */
  async thaw(name: string): Promise<boolean> {
    const thawed = this.#world.manager.thaw(name);
    await this.#saved();
    return thawed;
  }

  /** Opens a version that waits for an approval. */
  async approve(name: string, which?: WhichVersion): Promise<Generation> {
    const generation = await this.#world.loader.approve(name, which).catch((error) => {
      this.#world.notOpened(name);
      throw error;
    });
    // Before it may be rolled back: what waits for an approval then waits anew.
    this.#world.opened(name);
    await this.#saved();
    return generation;
  }

  /** The versions in quarantine. */
  quarantine(): QuarantinedVersion[] {
    return this.#world.state()?.quarantine() ?? [];
  }

  /** Lets a version out of quarantine. */
  async unquarantine(name: string, scn: Scn): Promise<boolean> {
    const was = this.#world.state()?.unquarantine(name, scn) ?? false;
    try {
      // First: it may end the process again, and is to be suspect then.
      await this.#saved();
    } finally {
      if (was) {
        this.#world.released(name);
        this.#world.scan();
      }
    }
    return was;
  }

  async #saved(): Promise<void> {
    await this.#world.state()?.saved();
  }

  async #rollbackToKept(
    name: string,
    { to, reason = "asked for", from, automatic }: KeptRollback,
    error: unknown,
  ): Promise<Generation> {
    const { manager, loader, emit } = this.#world;
    const state = this.#world.state();
    const kept = state?.record(name).previous;
    if (!(error instanceof HotplugError) || !BY_STORE.has(error.code)) throw error;
    if (!state || from === undefined || !kept || kept.scn >= from) throw error;
    if (to !== undefined && to !== kept.scn) throw error;
    const refused = (code: ErrorCode, why: string, cause?: unknown): HotplugError =>
      new HotplugError(code, `Cannot roll "${name}" back to SCN ${kept.scn}: ${why}`, { cause });
    if (state.isQuarantined(name, kept.scn)) {
      throw refused("quarantined", "it is in quarantine; let it out first, when it is mended");
    }
    const isKept = state.keptAt(name, kept) !== undefined;
    const generation = await reopenKept(name, kept, { state, loader }, { condemn: from }).catch(
      (cause) => {
        if (!(cause instanceof HotplugError)) throw cause;
        const { code, message } = cause;
        if (isKept) throw refused(code, message, cause);
        const why =
          `its bytes are in the store no more, nor to be had from "${kept.path}": ${message}`;
        throw refused(code, `${why}; publish that one again, or a newer version`, cause);
      },
    );
    const time = new Date().toISOString();
    const { scn } = generation;
    // It may be held further than that, by a rollback before.
    const held = manager.statusOf(name)?.held ?? from;
    emit({ type: "rolled-back", time, name, scn, from, held, reason, automatic });
    return generation;
  }
}
