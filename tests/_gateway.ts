import { assert } from "@std/assert";
import { Gateway } from "../daemon/mod.ts";
import type { DaemonOptions } from "../daemon/mod.ts";
import { type DaemonFixture, startDaemon, within } from "./_daemon.ts";

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

/** The head of a request that becomes a WebSocket, for who sends bytes. */
export function upgradeHead(path: string): string {
  return `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
    `sec-websocket-version: 13\r\nsec-websocket-key: ${btoa("x".repeat(16))}\r\n\r\n`;
}

/** Opens a WebSocket. */
export async function openSocketAt(url: URL): Promise<WebSocket> {
  const socket = new WebSocket(url.href.replace("http", "ws"));
  await new Promise((resolve) => socket.onopen = resolve);
  return socket;
}

/** What a socket says next, or how it ends. */
export function nextOf(socket: WebSocket): Promise<string> {
  return within(
    10_000,
    "a message",
    new Promise((resolve) => {
      socket.onmessage = ({ data }) => resolve(data);
      socket.onclose = ({ code }) => resolve(`closed ${code}`);
    }),
  );
}

/** Waits for what is told by no event. */
export async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    assert(performance.now() < end, `it did not come to ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
