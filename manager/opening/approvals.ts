import { byName } from "../../artifact/by_name.ts";
import { lstatSync } from "node:fs";
import { hostTarget, type Permissions, permissionsBeyond, type Scn } from "../../artifact/mod.ts";
import {
  approvalRequired,
  asksForMore,
  type Compared,
  noneWaits,
  otherFile,
} from "./approval_errors.ts";
import type { ApproveOptions, PendingVersion, WhichVersion } from "./pending_version.ts";
import type { Generation } from "../generations/generation.ts";
import type { CurrentBefore } from "../generations/plugin_registry.ts";
import type { Location } from "../artifacts/locate.ts";
import type { ReadArtifact } from "../artifacts/read_artifact.ts";
import type { ApprovalRule } from "../settings/trust.ts";

/** What an approval is for: these bytes, with these permissions at the most. */
type Approved = Pick<PendingVersion, "sha256" | "permissions">;

/** What is known of the version that runs. */
type Running = Pick<Generation, "scn" | "permissions">;

/** A version that waits, and where. */
interface Waiting {
  readonly version: PendingVersion;
  /** The folder that no link of it may lead out of; undefined for its own. */
  readonly root: string | undefined;
}

/** Of so many files it is known what they asked for when they were first held. */
const MOST_HELD = 10_000;

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
  /** What files asked for when they were first held, by version and digest; the newest. */
  readonly #first = new Map<string, Permissions>();

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
    { path, file, root, parts: { name, scn } }: Location,
    artifact: ReadArtifact,
    compared: readonly Compared[],
    running: Running | undefined,
  ): void {
    const permissions = artifact.info?.permissions ?? {};
    const found = compared.map((each) => ({ each, more: beyond(permissions, each.permissions) }))
      .find(({ more }) => !isNone(more));
    // Without anything to compare with it is the first.
    const isFirst = this.#rule === "all" && compared.length === 0;
    const key = keyOf(name, scn);
    if (this.#rule === "none" || (!found && !isFirst)) {
      // It may have waited, by what was current then; not so another file of that SCN.
      if (this.#pending.get(key)?.version.path === path) this.#pending.delete(key);
      return;
    }
    const sha256 = artifact.info?.artifact.sha256 ?? artifact.sha256;
    if (this.#isApproved(key, sha256, permissions)) return;
    const before = this.#pending.get(key)?.version;
    const version = {
      ...{ name, scn, path, sha256, permissions, more: found?.more ?? permissions },
      ...(running && { running: running.scn }),
      since: before?.sha256 === sha256 ? before.since : new Date().toISOString(),
    };
    this.#pending.set(key, { version, root });
    this.#holdFirst(`${key} ${sha256}`, permissions);
    throw approvalRequired(file, version, found?.each);
  }

  /** The versions that wait, by name and then by SCN; without those whose file is gone. */
  list(): PendingVersion[] {
    return this.#there().map(({ version }) => version).filter((each) => {
      const { sha256, permissions } = each;
      return !this.#isApproved(keyOf(each.name, each.scn), sha256, permissions);
    });
  }

  /**
   * Approves a version that waits, the newest of the plugin if no SCN is given; answers with it, and with
   * where it may lead to.
   *
   * @throws {HotplugError} `not-found` where it does not wait, `conflict` where another file of it does, or
   * where it asks for more by now
   */
  approve(name: string, which: WhichVersion = {}): Waiting {
    const { scn, sha256, permissions }: ApproveOptions = typeof which === "number"
      ? { scn: which }
      : which;
    // What was approved and failed may be approved again.
    const there = this.#there();
    const waiting = there.findLast(({ version }) =>
      version.name === name && (scn === undefined || version.scn === scn)
    );
    if (!waiting) throw noneWaits(name, scn, there.map(({ version }) => version));
    const { version } = waiting;
    const key = keyOf(name, version.scn);
    if (sha256 !== undefined && sha256 !== version.sha256) throw otherFile(version);
    const first = sha256 === undefined ? undefined : this.#first.get(`${key} ${sha256}`);
    const most = permissions ?? first;
    const more = most ? beyond(version.permissions, most) : {};
    if (!isNone(more)) throw asksForMore(version, more);
    this.#approved.set(key, version);
    return waiting;
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
    for (const versions of [this.#pending, this.#approved, this.#first]) {
      for (const key of versions.keys()) {
        const [of, at] = key.split(" ");
        if (of === name && Number(at) <= scn) versions.delete(key);
      }
    }
  }

  #isApproved(key: string, sha256: string, permissions: Permissions): boolean {
    const approved = this.#approved.get(key);
    return approved?.sha256 === sha256 && isNone(beyond(permissions, approved.permissions));
  }

  #holdFirst(key: string, permissions: Permissions): void {
    if (this.#first.has(key)) return;
    this.#first.set(key, permissions);
    const [oldest] = this.#first.keys();
    if (this.#first.size > MOST_HELD && oldest !== undefined) this.#first.delete(oldest);
  }

  /** By name and then by SCN; without those whose file is gone. */
  #there(): Waiting[] {
    for (const [key, { version: { path } }] of this.#pending) {
      if (!lstatSync(path, { throwIfNoEntry: false })) this.#pending.delete(key);
    }
    return [...this.#pending.values()]
      .sort((a, b) => byName(a.version, b.version) || a.version.scn - b.version.scn);
  }

  /** What runs, and what that stands in for. */
  #comparedWith(name: string, running: Running | undefined): Compared[] {
    const before = this.#before.get(name);
    return [
      ...running
        ? [{ scn: running.scn, permissions: running.permissions, stands: "runs" as const }]
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
