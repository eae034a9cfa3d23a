import { assertEquals } from "@std/assert";
import { publish } from "./_daemon.ts";
import { sendRaw, startGateway, until } from "./_gateway.ts";

const TEXT = "Grüße ".repeat(500);

/** A server that compresses what it sends. */
async function startUpstream(type: string): Promise<Deno.HttpServer<Deno.NetAddr>> {
  const body = new Uint8Array(
    await new Response(new Blob([TEXT]).stream().pipeThrough(new CompressionStream("gzip")))
      .arrayBuffer(),
  );
  const headers = {
    "content-encoding": "gzip",
    "content-length": String(body.length),
    "content-type": type,
  };
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(body, { headers }),
  );
}

for (const tier of ["inline", "worker", "process"] as const) {
  for (const type of ["text/plain", "text/event-stream"]) {
    Deno.test(`gateway: in tier ${tier}, what a plugin has fetched as compressed ${type} arrives as it was decoded`, async () => {
      await using upstream = await startUpstream(type);
      const url = `http://127.0.0.1:${upstream.addr.port}/`;
      // A worker has all that this process has.
      const own = tier === "process" &&
        { permissions: { net: [`127.0.0.1:${upstream.addr.port}`] } };
      await using fixture = await startGateway({ tier, ...own });
      const source = `export default { fetch: () => fetch(${JSON.stringify(url)}) };`;
      await publish(fixture.path, source, { name: "proxy", ...own });
      await fixture.loaded("proxy");
      const response = await fixture.get("/proxy/");
      assertEquals([response.status, response.headers.get("content-encoding")], [200, null]);
      assertEquals(await response.text(), TEXT);
    });
  }

  Deno.test(`gateway: in tier ${tier}, a text is sent whole, whatever length a plugin says it has`, async () => {
    await using fixture = await startGateway({ tier });
    const source = `
      class Own extends Response {}
      export default {
        fetch: ({ url }) => new (url.endsWith("own") ? Own : Response)("Grüße", {
          headers: { "content-length": url.includes("less") ? "2" : "5", "set-cookie": "a=1" },
        }),
      };`;
    await publish(fixture.path, source, { name: "text" });
    await fixture.loaded("text");
    for (const path of ["/text/", "/text/less", "/text/less/own"]) {
      const response = await fixture.get(path);
      assertEquals([await response.text(), response.headers.getSetCookie()], ["Grüße", ["a=1"]]);
    }
    const raw = await sendRaw(
      fixture.url("/text/"),
      "GET /text/less HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    );
    assertEquals(/content-length: (\d+)/i.exec(raw)?.[1], "7");
  });

  Deno.test(`gateway: in tier ${tier}, a client that takes its time over a body is no failure of the plugin's`, async () => {
    await using fixture = await startGateway({ tier, callDeadline: 200 });
    const source = `export default {
      fetch: async (request) => new Response(request.url.endsWith("hang")
        ? await new Promise(() => {})
        : await (request.url.endsWith("clone") ? request.clone() : request).text()),
    };`;
    await publish(fixture.path, source, { name: "slow" });
    await fixture.loaded("slow");
    for (const path of ["/slow/", "/slow/clone"]) {
      const body = new ReadableStream({
        async start(controller) {
          for (const piece of ["a", "b", "c", "d", "e"]) {
            controller.enqueue(new TextEncoder().encode(piece));
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
          controller.close();
        },
      });
      const response = await fixture.get(path, { method: "POST", body });
      if (tier === "inline") {
        // There it can't be told from one that hangs, but by where its body stands.
        assertEquals([response.status, (await response.json()).code], [408, "deadline"]);
      } else assertEquals([response.status, await response.text()], [200, "abcde"]);
      assertEquals(fixture.daemon.manager.statusOf("slow")?.errors, 0);
    }
    const hung = await fixture.get("/slow/hang", { method: "POST", body: "whole" });
    assertEquals([hung.status, (await hung.json()).code], [504, "deadline"]);
    assertEquals(fixture.daemon.manager.statusOf("slow")?.errors, 1);
  });

  Deno.test(`gateway: in tier ${tier}, a client that leaves within a body which is passed on by fetch is no failure of the plugin's`, async () => {
    await using upstream = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => new Response(await request.text().catch(() => "broken")),
    );
    const host = `127.0.0.1:${upstream.addr.port}`;
    const own = tier === "process" && { permissions: { net: [host] } };
    await using fixture = await startGateway({ tier, ...own });
    const source = `export default {
      fetch: ({ body }) => fetch("http://${host}/", { method: "POST", body }),
    };`;
    await publish(fixture.path, source, { name: "proxy", ...own });
    await fixture.loaded("proxy");
    const { hostname, port } = fixture.url("/");
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const head = "POST /proxy/ HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhello";
    await connection.write(new TextEncoder().encode(head));
    await until(() => fixture.daemon.manager.whoHolds("proxy").length === 1);
    connection.close();
    await until(() => fixture.daemon.manager.whoHolds("proxy").length === 0);
    const { calls, errors } = fixture.daemon.manager.statusOf("proxy") ?? {};
    assertEquals([calls, errors], [1, 0]);
  });

  Deno.test(`gateway: in tier ${tier}, a body that a plugin has at hand may be larger than what is sent at once`, async () => {
    await using fixture = await startGateway({ tier });
    const source = `export default { fetch: () => new Response(new Uint8Array(70_000_000)) };`;
    await publish(fixture.path, source, { name: "large" });
    await fixture.loaded("large");
    assertEquals((await (await fixture.get("/large/")).arrayBuffer()).byteLength, 70_000_000);
    assertEquals(fixture.daemon.manager.statusOf("large")?.errors, 0);
  });
}
