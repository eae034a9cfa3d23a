import {
  HotplugError,
  PERMISSION_KINDS,
  type PermissionKind,
  type Permissions,
} from "../artifact/mod.ts";
import { quote } from "./quote.ts";

/**
 * Checks permissions and answers with their canonical form: known kinds in alphabetical order, what
 * is listed sorted and once, kinds with an empty list left out.
 *
 * @throws {HotplugError} With code `options`, if a kind is unknown or its value can't be a flag's.
 */
export function checkPermissions(permissions: Permissions): Permissions {
  const kinds: readonly string[] = PERMISSION_KINDS;
  for (const kind of Object.keys(permissions)) {
    if (!kinds.includes(kind)) {
      throw refusal(kind, `there is no such permission; there are ${kinds.join(", ")}`);
    }
  }
  const checked: [PermissionKind, readonly string[] | true][] = [];
  for (const kind of PERMISSION_KINDS) {
    const wanted = permissions[kind];
    if (wanted === undefined) continue;
    if (wanted === true) {
      checked.push([kind, true]);
      continue;
    }
    if (!Array.isArray(wanted)) throw refusal(kind, "it takes a list of texts, or true for all");
    for (const each of wanted) checkValue(kind, each);
    if (wanted.length > 0) checked.push([kind, [...new Set(wanted)].sort()]);
  }
  return Object.fromEntries(checked);
}

/** Writes checked permissions as Deno's flags, as `--allow-net=example.com:443`. */
export function permissionFlags(permissions: Permissions | undefined): string[] {
  const flags: string[] = [];
  for (const kind of PERMISSION_KINDS) {
    const allowed = permissions?.[kind];
    if (allowed === undefined) continue;
    flags.push(allowed === true ? `--allow-${kind}` : `--allow-${kind}=${allowed.join(",")}`);
  }
  return flags;
}

function checkValue(kind: string, value: unknown): void {
  // deno-lint-ignore no-control-regex
  if (typeof value === "string" && value !== "" && !/[,\x00-\x1f\x7f]/.test(value)) return;
  throw refusal(kind, `${quote(String(value))} is empty, or holds a comma or a control character`);
}

function refusal(kind: string, why: string): HotplugError {
  return new HotplugError("options", `Cannot build with the permission ${quote(kind)}: ${why}`);
}
