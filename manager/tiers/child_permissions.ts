import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "@std/path";
import {
  intersectPermissions,
  type Os,
  PERMISSION_KINDS,
  type PermissionKind,
  type Permissions,
  permissionsBeyond,
} from "../../artifact/mod.ts";

/** What a plugin in a process of its own may do. */
export interface ChildPermissions {
  /** What it asks for and is allowed, resolved. */
  readonly granted: Permissions;
  /** What it asks for beyond; `{}` if nothing was cut away. */
  readonly cut: Permissions;
}

const PATH_KINDS: ReadonlySet<PermissionKind> = new Set(["ffi", "read", "write"]);

/**
 * Intersects what a plugin asks for with what its host allows: a kind that is missing on either side is
 * none.
 *
 * Paths are made absolute and their links followed before they are compared, so that nothing is had
 * by way of a link.
 */
export function childPermissions(
  asked: Permissions | undefined,
  allowed: Permissions | undefined,
  os: Os,
): ChildPermissions {
  const [wanted, given] = [resolvePaths(usable(asked)), resolvePaths(usable(allowed))];
  const granted = intersectPermissions(wanted, given, os);
  const beyond = permissionsBeyond(wanted, given, os);
  const unusable = permissionsBeyond(asked, usable(asked), os);
  return { granted, cut: { ...unusable, ...beyond } };
}

/** Writes permissions as Deno's flags, as `--allow-net=example.com:443`. */
export function permissionFlags(permissions: Permissions): string[] {
  return PERMISSION_KINDS.flatMap((kind) => {
    const granted = permissions[kind];
    if (granted === undefined) return [];
    if (granted === true) return `--allow-${kind}`;
    return granted.length > 0 ? `--allow-${kind}=${granted.join(",")}` : [];
  });
}

/** Without what would be several, or another one, as a flag: what holds a comma, or nothing. */
function usable(permissions: Permissions | undefined): Permissions {
  return mapLists(permissions, (_kind, list) => list.filter(isUsable));
}

function isUsable(value: string): boolean {
  // deno-lint-ignore no-control-regex
  return value !== "" && !/[,\x00-\x1f\x7f]/.test(value);
}

function resolvePaths(permissions: Permissions): Permissions {
  return mapLists(
    permissions,
    (kind, list) => PATH_KINDS.has(kind) ? list.map(realPath).filter(isUsable) : list,
  );
}

/** The path with its links followed, as far as there is something. */
function realPath(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync.native(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(realPath(parent), basename(absolute));
  }
}

function mapLists(
  permissions: Permissions | undefined,
  fn: (kind: PermissionKind, list: readonly string[]) => readonly string[],
): Permissions {
  return Object.fromEntries(
    PERMISSION_KINDS.flatMap((kind) => {
      const value = permissions?.[kind];
      return value === undefined ? [] : [[kind, value === true ? true : fn(kind, value)]];
    }),
  );
}
