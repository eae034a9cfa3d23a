import { Gateway } from "../daemon/mod.ts";
import type { DaemonOptions } from "../daemon/mod.ts";
import { type DaemonFixture, startDaemon } from "./_daemon.ts";

/** A gateway before a started daemon on a folder of its own. */
export interface GatewayFixture extends DaemonFixture {
  /** The folder that is watched. */
  readonly path: string;
  /** The gateway; it listens. */
  readonly gateway: Gateway;
  /** The address of a path. */
  url(path: string): URL;
  /** Asks for a path. */
  get(path: string, init?: RequestInit): Promise<Response>;
}

/** Starts a gateway: `await using fixture = await startGateway()`. */
export async function startGateway(
  options: Partial<DaemonOptions> = {},
): Promise<GatewayFixture> {
  const fixture = await startDaemon(options);
  const gateway = new Gateway(fixture.daemon);
  const base = await gateway.start();
  const url = (path: string): URL => new URL(base.href.slice(0, -1) + path);
  return {
    ...fixture,
    gateway,
    url,
    get: (path, init) => fetch(url(path), init),
    [Symbol.asyncDispose]: async () => {
      await gateway.close();
      await fixture[Symbol.asyncDispose]();
    },
  };
}

/** Sends bytes as they are and answers with all that comes back until the other side closes. */
export async function sendRaw(url: URL, ...pieces: readonly string[]): Promise<string> {
  using connection = await Deno.connect({ hostname: url.hostname, port: Number(url.port) });
  const encoder = new TextEncoder();
  for (const piece of pieces) {
    await connection.write(encoder.encode(piece));
    // A turn of its own for each, so that they are packets of their own.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return await new Response(connection.readable).text();
}
