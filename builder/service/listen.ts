import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { HotplugError } from "../../artifact/mod.ts";

/**
 * Has a server listen and answers with where it does.
 *
 * @throws {HotplugError} With code `listen`, if the address is taken or none of this machine.
 */
export async function listen(
  server: Server,
  { hostname, port }: { readonly hostname: string; readonly port: number },
): Promise<AddressInfo> {
  try {
    server.listen(port, hostname);
    await once(server, "listening");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HotplugError(
      "listen",
      `Cannot listen on ${hostname}:${port}: ${why}; choose another port, or end what listens there`,
      { cause },
    );
  }
  return server.address() as AddressInfo;
}

/** Ends a server at once, and waits for that: who still sends or listens on is not waited for. */
export async function shut(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
