import { PERMISSION_KINDS, type PermissionKind, type Permissions } from "../../artifact/mod.ts";

/** What this process may do, as far as it can be told: whole kinds only. */
export async function ownPermissions(): Promise<
  { readonly whole: Permissions; readonly some: Permissions }
> {
  const states = await Promise.all(PERMISSION_KINDS.map(async (kind) => {
    const { state, partial } = await Deno.permissions.query({ name: kind });
    return { kind, whole: state === "granted" && !partial, some: state === "granted" || partial };
  }));
  const pick = (of: "whole" | "some"): Permissions => {
    const kinds = states.filter((each) => each[of]).map(({ kind }) => [kind, true]);
    return Object.fromEntries(kinds) as Partial<Record<PermissionKind, true>>;
  };
  return { whole: pick("whole"), some: pick("some") };
}
