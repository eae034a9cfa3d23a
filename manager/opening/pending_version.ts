import type { Permissions, Scn } from "../../artifact/mod.ts";

/** A version that is held until it is approved. */
export interface PendingVersion {
  /** The plugin's name. */
  readonly name: string;
  /** Its sequence change number. */
  readonly scn: Scn;
  /** The file. */
  readonly path: string;
  /** The SHA-256 of the file, as 64 lower-case hex digits: what an approval is for. */
  readonly sha256: string;
  /** All the permissions that it asks for. */
  readonly permissions: Permissions;
  /**
   * Those of them that the running version does not ask for, or where that asks for them, what was current
   * when the process before ended.
   */
  readonly more: Permissions;
  /** The version that runs meanwhile; absent where none does. */
  readonly running?: Scn;
  /** Since when it waits, as an ISO 8601 time. */
  readonly since: string;
}

/** Which version is approved; a {@linkcode PendingVersion} tells, too. */
export interface ApproveOptions {
  /**
   * Its sequence change number.
   *
   * @default that of the newest that waits
   */
  readonly scn?: Scn;
  /** The SHA-256 of its file, as 64 lower-case hex digits: another one that waits by now is not approved. */
  readonly sha256?: string;
  /**
   * The most that it may ask for: what asks for more by now is not approved.
   *
   * @default with `sha256`, what it asked for when it was first held
   */
  readonly permissions?: Permissions;
}

/** A version, by its SCN alone or by its file as well. */
export type WhichVersion = Scn | ApproveOptions;
