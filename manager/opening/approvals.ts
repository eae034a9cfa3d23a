import { byName } from "../../artifact/by_name.ts";
import { lstatSync } from "node:fs";
import {
  hostTarget,
  HotplugError,
  PERMISSION_KINDS,
  type Permissions,
  permissionsBeyond,
  type Scn,
} from "../../artifact/mod.ts";
import type { Generation } from "../generations/generation.ts";
import type { CurrentBefore } from "../generations/plugin_registry.ts";
import type { Location } from "../artifacts/locate.ts";
import type { ReadArtifact } from "../artifacts/read_artifact.ts";
import type { ApprovalRule } from "../settings/trust.ts";

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
}

/** A version, by its SCN alone or by its file as well. */
export type WhichVersion = Scn | ApproveOptions;

/** What an approval is for: these bytes, with these permissions at the most. */
type Approved = Pick<PendingVersion, "sha256" | "permissions">;

/** What is known of the version that runs. */
type Running = Pick<Generation, "scn" | "info">;

/** What a new version is compared with, and how that stands. */
interface Compared extends Required<CurrentBefore> {
  readonly stands: "runs" | "was current";
}

const SHOWN = 3;

/**
 * Who waits for an approval, and who has one.
 *
 * An approval is for the file that was looked at: another one in its place, or one that asks for more,
 * waits again.
 */
export class Approvals {
  readonly #rule: ApprovalRule;
  readonly #pending = new Map<string, PendingVersion>();
  readonly #approved = new Map<string, Approved>();
  /** What was current in an earlier process and is not in memory yet, by the plugin's name. */
  readonly #before = new Map<string, CurrentBefore>();

  /** Makes it with nobody waiting. */
  constructor(rule: ApprovalRule) {
    this.#rule = rule;
  }

  /**
   * Remembers what was current in an earlier process: until it is in memory again, nothing may ask for more
   * than that only since it does not run.
   */
  remember(name: string, before: CurrentBefore): void {
    this.#before.set(name, before);
  }

  /**
   * Lets a version pass that was read, or holds it.
   *
   * @throws {HotplugError} `approval-required` where it is held
   */
  check(location: Location, artifact: ReadArtifact, running: Running | undefined): void {
    const { path, parts: { name, scn } } = location;
    const permissions = artifact.info?.permissions ?? {};
    const compared = this.#comparedWith(name, running);
    const found = compared.map((each) => ({ each, more: beyond(permissions, each.permissions) }))
      .find(({ more }) => !isNone(more));
    // Without anything to compare with it is the first.
    const isFirst = this.#rule === "all" && compared.length === 0;
    if (this.#rule === "none" || (!found && !isFirst)) return;
    const sha256 = artifact.info?.artifact.sha256 ?? artifact.sha256;
    const key = keyOf(name, scn);
    const approved = this.#approved.get(key);
    if (approved?.sha256 === sha256 && isNone(beyond(permissions, approved.permissions))) return;
    const before = this.#pending.get(key);
    const version = {
      ...{ name, scn, path, sha256, permissions, more: found?.more ?? permissions },
      ...(running && { running: running.scn }),
      since: before?.sha256 === sha256 ? before.since : new Date().toISOString(),
    };
    this.#pending.set(key, version);
    throw approvalRequired(location.file, version, found?.each);
  }

  /** The versions that wait, by name and then by SCN; without those whose file is gone. */
  list(): PendingVersion[] {
    for (const [key, { path }] of this.#pending) {
      if (!lstatSync(path, { throwIfNoEntry: false })) this.#pending.delete(key);
    }
    return [...this.#pending.values()].sort((a, b) => byName(a, b) || a.scn - b.scn);
  }

  /**
   * Approves a version that waits, the newest of the plugin if no SCN is given; answers with it.
   *
   * @throws {HotplugError} `not-found` where it does not wait, `conflict` where another file of it does
   */
  approve(name: string, which: WhichVersion = {}): PendingVersion {
    const { scn, sha256 } = typeof which === "number" ? { scn: which } : which;
    const waiting = this.list();
    const version = waiting.findLast((each) =>
      each.name === name && (scn === undefined || each.scn === scn)
    );
    if (version) {
      if (sha256 !== undefined && sha256 !== version.sha256) throw otherFile(version);
      this.#approved.set(keyOf(name, version.scn), version);
      return version;
    }
    const none = scn === undefined ? "No version" : `No version ${scn}`;
    const others = waiting.map((each) => `${each.name} ${each.scn}`).join(", ") || "none";
    throw new HotplugError(
      "not-found",
      `${none} of plugin "${name}" waits for an approval; waiting: ${others}`,
    );
  }

  /** Forgets what was current in an earlier process: what is current now was gone back to. */
  rolledBack(name: string): void {
    this.#before.delete(name);
  }

  /** Takes an approval back; the version waits for another one. */
  withdraw({ name, scn }: Pick<PendingVersion, "name" | "scn">): void {
    this.#approved.delete(keyOf(name, scn));
  }

  /** Forgets what is over once a version has become the current one, or stands in for what was. */
  loaded({ name, scn }: Generation, standsIn: boolean): void {
    if (!standsIn || scn >= (this.#before.get(name)?.scn ?? 0)) this.#before.delete(name);
    for (const versions of [this.#pending, this.#approved]) {
      for (const key of versions.keys()) {
        const [of, at] = key.split(" ");
        if (of === name && Number(at) <= scn) versions.delete(key);
      }
    }
  }

  /** What runs, and what that stands in for. */
  #comparedWith(name: string, running: Running | undefined): Compared[] {
    const before = this.#before.get(name);
    return [
      ...running
        ? [{
          scn: running.scn,
          permissions: running.info?.permissions ?? {},
          stands: "runs" as const,
        }]
        : [],
      ...before && before.scn > (running?.scn ?? 0)
        ? [{ permissions: {}, ...before, stands: "was current" as const }]
        : [],
    ];
  }
}

/** No plugin's name holds a space. */
function keyOf(name: string, scn: Scn): string {
  return `${name} ${scn}`;
}

function beyond(asked: Permissions, granted: Permissions): Permissions {
  return permissionsBeyond(asked, granted, hostTarget().os);
}

function isNone(permissions: Permissions): boolean {
  return Object.keys(permissions).length === 0;
}

function approvalRequired(
  file: string,
  { name, scn, more }: PendingVersion,
  compared: Compared | undefined,
): HotplugError {
  const why = compared === undefined
    ? `it is the first of plugin "${name}" here, and asks for ${describe(more)}`
    : `it asks for ${describe(more)}, and SCN ${compared.scn}, which ${compared.stands}, does not`;
  return new HotplugError(
    "approval-required",
    `Not opened "${file}": ${why}; it is held until approve("${name}", ${scn}) lets it in`,
  );
}

function otherFile({ name, scn, sha256, permissions }: PendingVersion): HotplugError {
  return new HotplugError(
    "conflict",
    `Not approved: what waits of plugin "${name}" (SCN ${scn}) is another file by now (SHA-256 ${sha256}), ` +
      `which asks for ${describe(permissions)}; look at it, and approve that one`,
  );
}

/** As `net "example.com", all of env`; of many, the first few. */
function describe(permissions: Permissions): string {
  const texts = PERMISSION_KINDS.flatMap((kind) => {
    const list = permissions[kind];
    if (list === undefined) return [];
    if (list === true) return [`all of ${kind}`];
    const shown = list.slice(0, SHOWN).map((each) => JSON.stringify(each.slice(0, 80)));
    if (list.length > SHOWN) shown.push(`${list.length - SHOWN} more`);
    return [`${kind} ${shown.join(", ")}`];
  });
  return texts.join("; ") || "no permissions";
}
