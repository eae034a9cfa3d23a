import { hostTarget, type Permissions } from "../../artifact/mod.ts";
import { childPermissions } from "./child_permissions.ts";
import type { InstanceRequest } from "./instance.ts";
import { describeCut } from "./remote_events.ts";

/** What a plugin's info file asks for as far as the host allows it; what is cut away is told. */
export function grantedPermissions(
  { location, artifact, settings, incident }: InstanceRequest,
): Permissions {
  const asked = artifact.info?.permissions;
  const { granted, cut } = childPermissions(asked, settings.permissions, hostTarget().os);
  if (Object.keys(cut).length > 0) {
    incident({ code: "permissions", message: describeCut(location.parts, cut) });
  }
  return granted;
}
