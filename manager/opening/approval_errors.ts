import { HotplugError, PERMISSION_KINDS, type Permissions, type Scn } from "../../artifact/mod.ts";
import type { PendingVersion } from "./pending_version.ts";
import type { CurrentBefore } from "../generations/plugin_registry.ts";

/** What a new version is compared with, and how that stands. */
export interface Compared extends Required<CurrentBefore> {
  /** As a message says it. */
  readonly stands: "runs" | "was current";
}

const SHOWN = 3;

/** That a version waits. */
export function approvalRequired(
  file: string,
  { name, scn, more }: PendingVersion,
  compared: Compared | undefined,
): HotplugError {
  const why = compared === undefined
    ? `it is the first of plugin "${name}" here, and asks for ${describe(more)}`
    : `it asks for ${describe(more)}, and ${
      compared.scn === scn
        ? "did not when it was current"
        : `SCN ${compared.scn}, which ${compared.stands}, does not`
    }`;
  return new HotplugError(
    "approval-required",
    `Not opened "${file}": ${why}; it is held until approve("${name}", ${scn}) lets it in`,
  );
}

/** That another file waits than the one that is approved. */
export function otherFile({ name, scn, sha256, permissions }: PendingVersion): HotplugError {
  return new HotplugError(
    "conflict",
    `Not approved: what waits of plugin "${name}" (SCN ${scn}) is another file by now (SHA-256 ${sha256}), ` +
      `which asks for ${describe(permissions)}; look at it, and approve that one`,
  );
}

/** That nothing of that name, or of that SCN, waits. */
export function noneWaits(
  name: string,
  scn: Scn | undefined,
  waiting: readonly PendingVersion[],
): HotplugError {
  const none = scn === undefined ? "No version" : `No version ${scn}`;
  const others = waiting.map((each) => `${each.name} ${each.scn}`).join(", ") || "none";
  return new HotplugError(
    "not-found",
    `${none} of plugin "${name}" waits for an approval; waiting: ${others}`,
  );
}

/** That what waits asks for more than what is approved. */
export function asksForMore({ name, scn }: PendingVersion, more: Permissions): HotplugError {
  return new HotplugError(
    "conflict",
    `Not approved: what waits of plugin "${name}" (SCN ${scn}) asks for ${
      describe(more)
    } by now, which it ` +
      "did not when it was held; look at it, and approve it by its SCN alone",
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
