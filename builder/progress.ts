import type { Scn, Target } from "../artifact/mod.ts";

/** How far a build is; one event at the end of each step. */
export type BuildProgress =
  | {
    /** A source was downloaded; or something that builds, which is in the cache from now on. */
    readonly type: "fetched";
    /** What it is: the address of a source, or as `deno 2.4.2`. */
    readonly what: string;
    /** How many bytes came. */
    readonly bytes: number;
    /** How long that took, in milliseconds. */
    readonly durationMs: number;
  }
  | {
    /** The source lies in the work folder. */
    readonly type: "unpacked";
    /** How many files and folders it holds. */
    readonly entries: number;
    /** How many bytes its files hold. */
    readonly bytes: number;
  }
  | {
    /** The module is bundled, and checked where that was asked for. */
    readonly type: "bundled";
    /** Its size, in bytes. */
    readonly bytes: number;
    /** How long that took, in milliseconds. */
    readonly durationMs: number;
  }
  | {
    /** An executable is compiled. */
    readonly type: "compiled";
    /** What it is for. */
    readonly target: Target;
    /** Its size as it will be published, in bytes. */
    readonly bytes: number;
    /** How long that took, in milliseconds. */
    readonly durationMs: number;
  }
  | {
    /** The build has its SCN. */
    readonly type: "reserved";
    /** The SCN. */
    readonly scn: Scn;
  }
  | {
    /** An artifact lies in the destination, info file included. */
    readonly type: "published";
    /** The artifact's path. */
    readonly path: string;
  };
