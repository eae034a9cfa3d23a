import { byName } from "../../artifact/by_name.ts";
import { lstatSync } from "node:fs";
import {
  hostTarget,
  HotplugError,
  type Permissions,
  permissionsBeyond,
  type Scn,
} from "../../artifact/mod.ts";
import { approvalRequired, asksForMore, type Compared, otherFile } from "./approval_errors.ts";
import type { ApproveOptions, PendingVersion, WhichVersion } from "./pending_version.ts";
import type { Generation } from "../generations/generation.ts";
import type { CurrentBefore } from "../generations/plugin_registry.ts";
import type { Location } from "../artifacts/locate.ts";
import type { ReadArtifact } from "../artifacts/read_artifact.ts";
import type { ApprovalRule } from "../settings/trust.ts";

/** What an approval is for: these bytes, with these permissions at the most. */
type Approved = Pick<PendingVersion, "sha256" | "permissions">;

/** What is known of the version that runs. */
type Running = Pick<Generation, "scn" | "info">;

/** A version that waits, and what it asked for when it was first held. */
interface Waiting {
  readonly version: PendingVersion;
  readonly first: Permissions;
}

/**
 * Who waits for an approval, and who has one.
 *
 * An approval is for the file that was looked at: another one in its place, or one that asks for more,
 * waits again.
 */
export class Approvals {
  readonly #rule: ApprovalRule;
  readonly #pending = new Map<string, Waiting>();
  readonly #approved = new Map<string, Approved>();
  /** What was current in an earlier process and is not in memory yet, by the plugin's name. */
  readonly #before = new Map<string, CurrentBefore>();
  /** What generations asked for when they were let in: an info file that comes later asks for nothing. */
  readonly #asked = new WeakMap<Running, Permissions>();

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
    const compared = this.#comparedWith(location.parts.name, running);
    this.#check(location, artifact, compared, running);
  }

  /**
   * Lets a version pass that was current in an earlier process, or holds it: its info file may be another
   * one by now.
   *
   * @throws {HotplugError} `approval-required` where it asks for more than it did
   */
  checkReopened(
    location: Location,
    artifact: ReadArtifact,
    permissions: Permissions,
    running: Running | undefined,
  ): void {
    const { scn } = location.parts;
    this.#check(location, artifact, [{ scn, permissions, stands: "was current" }], running);
  }

  #check(
    { path, file, parts: { name, scn } }: Location,
    artifact: ReadArtifact,
    compared: readonly Compared[],
    running: Running | undefined,
  ): void {
    const permissions = artifact.info?.permissions ?? {};
    const found = compared.map((each) => ({ each, more: beyond(permissions, each.permissions) }))
      .find(({ more }) => !isNone(more));
    // Without anything to compare with it is the first.
    const isFirst = this.#rule === "all" && compared.length === 0;
    if (this.#rule === "none" || (!found && !isFirst)) return;
    const sha256 = artifact.info?.artifact.sha256 ?? artifact.sha256;
    const key = keyOf(name, scn);
    const approved = this.#approved.get(key);
    if (approved?.sha256 === sha256 && isNone(beyond(permissions, approved.permissions))) return;
    const pending = this.#pending.get(key);
    const before = pending?.version.sha256 === sha256 ? pending : undefined;
    const version = {
      ...{ name, scn, path, sha256, permissions, more: found?.more ?? permissions },
      ...(running && { running: running.scn }),
      since: before?.version.since ?? new Date().toISOString(),
    };
    this.#pending.set(key, { version, first: before?.first ?? permissions });
    throw approvalRequired(file, version, found?.each);
  }

  /** The versions that wait, by name and then by SCN; without those whose file is gone. */
  list(): PendingVersion[] {
    for (const [key, { version: { path } }] of this.#pending) {
      if (!lstatSync(path, { throwIfNoEntry: false })) this.#pending.delete(key);
    }
    return Array.from(this.#pending.values(), ({ version }) => version)
      .sort((a, b) => byName(a, b) || a.scn - b.scn);
  }

  /**
   * Approves a version that waits, the newest of the plugin if no SCN is given; answers with it.
   *
   * @throws {HotplugError} `not-found` where it does not wait, `conflict` where another file of it does, or
   * where it asks for more by now
   */
  approve(name: string, which: WhichVersion = {}): PendingVersion {
    const { scn, sha256, permissions }: ApproveOptions = typeof which === "number"
      ? { scn: which }
      : which;
    const waiting = this.list();
    const version = waiting.findLast((each) =>
      each.name === name && (scn === undefined || each.scn === scn)
    );
    if (version) {
      const key = keyOf(name, version.scn);
      if (sha256 !== undefined && sha256 !== version.sha256) throw otherFile(version);
      const most = permissions ??
        (sha256 === undefined ? undefined : this.#pending.get(key)?.first);
      const more = most ? beyond(version.permissions, most) : {};
      if (!isNone(more)) throw asksForMore(version, more);
      this.#approved.set(key, version);
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
  loaded(generation: Generation, standsIn: boolean): void {
    const { name, scn, info } = generation;
    this.#asked.set(generation, info?.permissions ?? {});
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
          permissions: this.#asked.get(running) ?? running.info?.permissions ?? {},
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
