import { getLogger } from "@logtape/logtape";
import { removeLeftPlace } from "../daemon/control/control_place.ts";
import { removeLeftSocket } from "../daemon/control/control_socket.ts";
import { ControlServer, type Gateway, type PluginDaemon } from "../daemon/mod.ts";
import type { DaemonSettings } from "./daemon_settings.ts";

/**
 * Lets the daemon be controlled as its settings say; undefined where it can't be reached by anything.
 *
 * @throws {HotplugError} As {@linkcode ControlServer} does, and {@linkcode PluginDaemon.open}.
 */
export async function startControl(
  daemon: PluginDaemon,
  { control }: DaemonSettings,
  gateway: Gateway | undefined,
): Promise<ControlServer | undefined> {
  // Its lock first: without it somebody else may be listening there.
  await daemon.open();
  const { state } = daemon.status();
  if (state !== undefined) {
    // It would lead to another daemon, where one has that address by now.
    await removeLeftPlace(state);
    // One that is in the way is replaced.
    if (!control) await removeLeftSocket(state);
  }
  if (!control || state === undefined && control.tcp === undefined) return undefined;
  const server = new ControlServer(daemon, {
    ...control,
    ...(state !== undefined && { state }),
    ...(gateway && { gateway }),
  });
  try {
    const { url, socket } = await server.start();
    const logger = getLogger(["hotplug", "control"]);
    if (socket) logger.debug("Listens at {socket}", { socket });
    if (url) logger.info("Listens at {url}", { url });
    return server;
  } catch (error) {
    await server.close();
    throw error;
  }
}
