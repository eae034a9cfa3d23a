import type { Permissions, Scn } from "../../artifact/mod.ts";

/** An artifact that was read and verified, and of which nothing has run yet. */
export interface VerifiedFiles {
  /** The plugin's name. */
  readonly name: string;
  /** Its sequence change number. */
  readonly scn: Scn;
  /** The artifact's path. */
  readonly path: string;
  /** SHA-256 of its content, in hex. */
  readonly sha256: string;
  /**
   * What was read, by file name: info file and source map as far as there are, and the artifact unless
   * it is an executable, which is never whole in memory.
   */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** How {@linkcode PluginManager.open} goes about it. */
export interface OpenOptions {
  /** Gives the load up when aborted, also for who shares it; its reason is thrown. */
  readonly signal?: AbortSignal;
  /**
   * Whether to ask the current generation to quiesce and to hand its state over. Without, a
   * generation whose hooks fail can still be superseded.
   *
   * @default the plugin's setting
   */
  readonly handover?: boolean;
  /**
   * The folder that no link of the artifact may lead out of.
   *
   * @default the artifact's own folder
   */
  readonly root?: string;
  /**
   * Opens what was current in an earlier process, from a copy of it: its content must have this
   * SHA-256. Initial SCN and holds keep it from nothing, nor does an approval that is missing, unless it asks
   * for more than it did; what is as new, or newer, and loaded
   * does so unless it is condemned, and so does what a plugin is frozen at while this one starts; a
   * signature is asked for as ever.
   */
  readonly reopen?: {
    /** In hex. */
    readonly sha256: string;
    /**
     * What it asked for then.
     *
     * @default whatever it asks for now
     */
    readonly permissions?: Permissions;
    /**
     * The SCN of a bad one whose place it takes, and of no other: nothing up to that is loaded until it is
     * released.
     */
    readonly condemn?: Scn;
    /**
     * Whether it has served for long enough, and is under no probation.
     *
     * @default {false}
     */
    readonly proven?: boolean;
  };
  /** Called once it is to be read: no name, hold or lock keeps it out. Nothing waits for it. */
  readonly begins?: (artifact: Pick<VerifiedFiles, "name" | "scn" | "path">) => void;
  /**
   * Called once all is verified, before anything of it runs, and awaited; what it throws keeps it from
   * loading.
   */
  readonly verified?: (artifact: VerifiedFiles) => void | Promise<void>;
}
