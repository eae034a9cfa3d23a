import { containsHost, meetHosts } from "./_contains_host.ts";
import { containsPath } from "./_contains_path.ts";
import type { PermissionKind, Permissions } from "./info_file.ts";
import type { Os } from "./target.ts";

/** The kinds of permission, in canonical order. */
export const PERMISSION_KINDS: readonly PermissionKind[] = [
  "env",
  "ffi",
  "import",
  "net",
  "read",
  "run",
  "sys",
  "write",
];

/** How what is listed under one kind compares. */
interface Comparison {
  /** Whether the second is the first, or part of it. */
  contains(outer: string, inner: string, os: Os): boolean;
  /** What both have in common. */
  meet(one: string, other: string, os: Os): string | undefined;
}

const PATHS = comparison(containsPath);
const TEXTS = comparison((outer, inner) => outer === inner);
const HOSTS: Comparison = { contains: containsHost, meet: meetHosts };

const COMPARISONS: Readonly<Record<PermissionKind, Comparison>> = {
  env: TEXTS,
  ffi: PATHS,
  import: HOSTS,
  net: HOSTS,
  read: PATHS,
  run: TEXTS,
  sys: TEXTS,
  write: PATHS,
};

/**
 * Answers with what is asked for beyond what is granted: nothing (`{}`) if all of it is.
 *
 * Permissions compare by what they mean: a path by containment, a host by name and port, the rest by
 * its exact text; `true` is all of a kind, a kind that is missing is none. Nothing is looked up, so
 * in doubt it is more. This is what a new version is held by, and what says what
 * {@linkcode intersectPermissions} cut away.
 *
 * @example
 * ```ts
 * import { permissionsBeyond } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * const granted = { net: ["example.com"], read: ["/srv/data"] };
 * const asked = { net: ["example.com:443", "example.org"], read: ["/srv/data/prices"] };
 * assertEquals(permissionsBeyond(asked, granted, "linux"), { net: ["example.org"] });
 * ```
 *
 * @param os The system of the host: it decides what a path means.
 */
export function permissionsBeyond(
  asked: Permissions | undefined,
  granted: Permissions | undefined,
  os: Os,
): Permissions {
  return eachKind((kind) => {
    const [wanted, given] = [asked?.[kind], granted?.[kind]];
    if (wanted === undefined || given === true) return [];
    if (wanted === true) return true;
    const { contains } = COMPARISONS[kind];
    return wanted.filter((each) => !given?.some((outer) => contains(outer, each, os)));
  });
}

/**
 * Answers with what is both asked for and allowed: what a plugin in a process of its own may do.
 *
 * Compared as in {@linkcode permissionsBeyond}. Relative paths are to be resolved before.
 *
 * @example
 * ```ts
 * import { intersectPermissions } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * const asked = { net: true, read: ["/srv"], run: ["git"] } as const;
 * const allowed = { net: ["example.com:443"], read: ["/srv/data", "/opt"] };
 * assertEquals(intersectPermissions(asked, allowed, "linux"), {
 *   net: ["example.com:443"],
 *   read: ["/srv/data"],
 * });
 * ```
 *
 * @param os The system of the host: it decides what a path means.
 */
export function intersectPermissions(
  asked: Permissions | undefined,
  allowed: Permissions | undefined,
  os: Os,
): Permissions {
  return eachKind((kind) => {
    const [wanted, given] = [asked?.[kind] ?? [], allowed?.[kind] ?? []];
    if (wanted === true) return given;
    if (given === true) return wanted;
    const { meet } = COMPARISONS[kind];
    return wanted.flatMap((one) => given.flatMap((other) => meet(one, other, os) ?? []));
  });
}

function comparison(contains: Comparison["contains"]): Comparison {
  return {
    contains,
    meet: (one, other, os) =>
      contains(one, other, os) ? other : contains(other, one, os) ? one : undefined,
  };
}

/** Permissions in canonical form, without the kinds that have nothing. */
function eachKind(of: (kind: PermissionKind) => readonly string[] | true): Permissions {
  const kinds = PERMISSION_KINDS.map((kind) => [kind, of(kind)] as const)
    .filter(([, list]) => list === true || list.length > 0)
    .map(([kind, list]) => [kind, list === true ? list : [...new Set(list)].sort()]);
  return Object.fromEntries(kinds);
}
