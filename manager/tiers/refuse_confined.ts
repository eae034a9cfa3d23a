import {
  hostTarget,
  HotplugError,
  type Permissions,
  permissionsBeyond,
} from "../../artifact/mod.ts";
import { ownPermissions } from "./own_permissions.ts";

/**
 * Refuses to run in a plain worker what asks for fewer permissions than its host has: it would get more
 * without being told. An info file that does not speak of permissions asks for nothing in particular.
 *
 * @throws {HotplugError} `unsupported`
 */
export async function refuseConfined(file: string, asked: Permissions | undefined): Promise<void> {
  if (asked === undefined) return;
  const beyond = permissionsBeyond((await ownPermissions()).some, asked, hostTarget().os);
  if (Object.keys(beyond).length === 0) return;
  throw new HotplugError(
    "unsupported",
    `Cannot open "${file}" in a worker: it asks for fewer permissions than this process has ` +
      `(${
        Object.keys(beyond).join(", ")
      }), and a worker has them all; run it in a process, or run this ` +
      'one with --unstable-worker-options and option "workerPermissions"',
  );
}
