import { getLogger } from "@logtape/logtape";
import { Gateway, type PluginDaemon } from "../daemon/mod.ts";
import type { DaemonSettings } from "./daemon_settings.ts";

/**
 * Serves the daemon's plugins as its settings say; undefined where they say nothing of it.
 *
 * @throws {HotplugError} As {@linkcode Gateway} does.
 */
export async function startGateway(
  daemon: PluginDaemon,
  { gateway: address }: DaemonSettings,
): Promise<Gateway | undefined> {
  if (!address) return undefined;
  const gateway = new Gateway(daemon, address);
  try {
    const url = await gateway.start();
    getLogger(["hotplug", "gateway"]).info("Serves plugins at {url}NAME/", { url: url.href });
    return gateway;
  } catch (error) {
    await gateway.close();
    throw error;
  }
}
