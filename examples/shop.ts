// deno-lint-ignore-file no-console -- what it prints is its output
/**
 * A shop that keeps up: an HTTP server whose prices come from a plugin, swapped while it serves.
 *
 * Run it with `deno run -A examples/shop.ts DIRECTORY`; it prints one JSON object a line.
 *
 * @module
 */

import { PluginDaemon } from "@hotplug/hotplug/daemon";
import type { Lease } from "@hotplug/hotplug/manager";

const directory = Deno.args[0];
if (directory === undefined) throw new Error("Name the directory with the plugins");

await using daemon = new PluginDaemon({ watch: [directory], config: { pricing: currency("EUR") } });
daemon.subscribe((event) => print(event));
await daemon.start();

const leases = new Map<string, Lease>();
const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => ending.abort());
}

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  signal: ending.signal,
  onListen: ({ port }) => print({ type: "listening", port }),
}, async (request) => {
  const url = new URL(request.url);
  try {
    return Response.json(await route(`${request.method} ${url.pathname}`, url.searchParams));
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return Response.json({ code, message }, { status: 409 });
  }
});
await server.finished;

/** What the shop can be asked for. */
async function route(what: string, query: URLSearchParams): Promise<unknown> {
  const order = { price: query.get("price"), quantity: Number(query.get("quantity")) };
  switch (what) {
    case "GET /quote": {
      // A lease for the length of the request: a swap in its middle does not show.
      using pricing = daemon.manager.acquire("pricing");
      return { scn: pricing.scn, quote: await pricing.call("quote", order) };
    }
    case "POST /lease": {
      const lease = daemon.manager.acquire("pricing");
      leases.set(String(leases.size), lease);
      return { lease: String(leases.size - 1), scn: lease.scn };
    }
    case "GET /leased-quote": {
      const lease = leases.get(query.get("lease") ?? "");
      return { scn: lease?.scn, quote: await lease?.call("quote", order) };
    }
    case "POST /open":
      return { scn: (await daemon.manager.open(query.get("path") ?? "")).scn };
    case "GET /memory":
      return daemon.manager.names().flatMap((name) => daemon.manager.generations(name)).map(
        ({ name, scn, state, leases, sha256 }) => ({ name, scn, state, leases, sha256 }),
      );
    default:
      throw new Error(`The shop knows no ${what}`);
  }
}

function currency(code: string): { currency: string } {
  return { currency: code };
}

function print(line: unknown): void {
  console.log(JSON.stringify(line));
}
