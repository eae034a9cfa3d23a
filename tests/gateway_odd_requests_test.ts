import { once } from "node:events";
import { connect, constants } from "node:http2";
import { createConnection } from "node:net";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { publish } from "./_daemon.ts";
import { type GatewayFixture, sendRaw, startGateway, until } from "./_gateway.ts";

/** Answers with what it was asked, and with what a copy of that says. */
const TELL = `
  export default {
    async fetch(request) {
      const copy = request.clone();
      const told = [request, copy].map(({ method, url }) => method + " " + url);
      new URL(request.url);
      return new Response(JSON.stringify([...told, await copy.text()]));
    },
  };`;

/** Reads a body in the way that the path says, and fails with it. */
const READ = `
  export default {
    async fetch(request) {
      switch (new URL(request.url).pathname) {
        case "/read/echo":
          return new Response(request.body);
        case "/read/wrapped":
          await request.json().catch((cause) => { throw new Error("no order", { cause }); });
          return new Response();
        default:
          return new Response(await request.text());
      }
    },
  };`;

/** Begins an upload, and answers with what breaks it off. */
type Begin = (url: URL, path: string) => Promise<() => unknown>;

const encoder = new TextEncoder();

/** Ways to break an upload off. */
const BREAKS: Readonly<Record<string, Begin>> = {
  "whoever goes within a body": async (url, path) => {
    const connection = await begun(url, path, "content-length: 1000\r\n\r\nsome of it");
    return () => connection.close();
  },
  "rubbish within a body": async (url, path) => {
    const connection = await begun(url, path, "transfer-encoding: chunked\r\n\r\n");
    return async () => {
      using _connection = connection;
      await connection.write(encoder.encode("no size\r\nof a chunk\r\n"));
      // It is answered, or closed.
      await connection.read(new Uint8Array(1));
    };
  },
  "whoever resets the connection within a body": async ({ hostname, port }, path) => {
    const socket = createConnection({ host: hostname, port: Number(port) });
    socket.write(`POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nsome of it`);
    await once(socket, "connect");
    return async () => {
      const closed = once(socket, "close");
      socket.resetAndDestroy();
      await closed;
    };
  },
  "whoever resets a body of HTTP/2": async ({ origin }, path) => {
    const session = connect(origin);
    await once(session, "connect");
    const stream = session.request({ ":method": "POST", ":path": path });
    stream.on("error", () => {});
    stream.write("some of it");
    return async () => {
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      await new Promise<void>((resolve) => session.close(resolve));
    };
  },
};

async function begun({ hostname, port }: URL, path: string, rest: string): Promise<Deno.Conn> {
  const connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(encoder.encode(`POST ${path} HTTP/1.1\r\nhost: a\r\n${rest}`));
  return connection;
}

function total({ gateway }: GatewayFixture): number {
  return gateway.counts().reduce((all, { count }) => all + count, 0);
}

async function ask(
  fixture: GatewayFixture,
  line: string,
  { host = "a", body = "" } = {},
): Promise<string> {
  const head = `${line} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n`;
  return await sendRaw(
    fixture.url("/"),
    `${head}content-length: ${body.length}\r\n\r\n${body}`,
  );
}

for (const tier of ["inline", "worker", "process"] as const) {
  Deno.test(`gateway: in tier ${tier}, path and method are the plugin's to the letter`, async () => {
    await using fixture = await startGateway({ tier });
    await publish(fixture.path, TELL, { name: "tell" });
    await fixture.loaded("tell");
    for (const path of ["/tell/../other", "/tell/%2e%2e/x", '/tell/a|b"<>', "/tell/x#y"]) {
      const asked = `GET http://a${path}`;
      assertStringIncludes(await ask(fixture, `GET ${path}`), JSON.stringify([asked, asked, ""]));
    }
    for (const method of ["get", "Head", "put", "track", "OWN"]) {
      const asked = `${method} http://a/tell/`;
      const answer = await ask(fixture, `${method} /tell/`, { body: "text" });
      assertStringIncludes(answer, JSON.stringify([asked, asked, "text"]));
    }
  });

  Deno.test(`gateway: in tier ${tier}, an upgrade that is offered, and to no WebSocket, is not taken`, async () => {
    await using fixture = await startGateway({ tier });
    await publish(fixture.path, TELL, { name: "tell" });
    await fixture.loaded("tell");
    // As Java's client sends it, and `curl --http2`.
    const heads = ["upgrade: h2c\r\nhttp2-settings: AAMAAABk", "upgrade: TLS/1.0, websockets"];
    for (const head of heads) {
      const request =
        `GET /tell/ HTTP/1.1\r\nhost: a\r\nconnection: close, upgrade\r\n${head}\r\n\r\n`;
      const answer = await sendRaw(fixture.url("/"), request);
      assertStringIncludes(answer, "HTTP/1.1 200 ");
      assertStringIncludes(answer, "GET http://a/tell/");
    }
  });

  Deno.test(`gateway: in tier ${tier}, nobody gets a version taken back by hosts that can't be`, async () => {
    await using fixture = await startGateway({ tier, probation: { errorRate: 0.1, minCalls: 1 } });
    await publish(fixture.path, TELL, { name: "tell" });
    await fixture.loaded("tell");
    const odd = ["a/tell", "a/", "/tell", "a?b", "a#", "b@a", "a\\tell"];
    for (const host of ["a:99999", "a b", "[", "a%zz", "a:b", ...odd]) {
      const answer = await ask(fixture, "GET /tell/", { host });
      assertStringIncludes(answer, "HTTP/1.1 400 ");
      assertStringIncludes(answer, "application/problem+json");
    }
    // Where a plugin of that name would be found in the URL.
    assertStringIncludes(await ask(fixture, "GET /nope/", { host: "a/tell" }), "HTTP/1.1 400 ");
    assertStringIncludes(await ask(fixture, "GET http://a?b/tell/"), "HTTP/1.1 400 ");
    for (const host of ["a", "a:80", "a:8", "[::1]:8080", "1.2.3.4", "ab"]) {
      assertStringIncludes(await ask(fixture, "GET /tell/", { host }), "HTTP/1.1 200 ");
    }
    const [generation] = fixture.daemon.manager.status().flatMap(({ generations }) => generations);
    assertEquals([generation?.calls, generation?.errors], [6, 0]);
  });

  for (const [what, begin] of Object.entries(BREAKS)) {
    Deno.test(`gateway: in tier ${tier}, ${what} is no failure of the version`, async () => {
      const probation = { errorRate: 0.1, minCalls: 1 };
      await using fixture = await startGateway({ tier, probation });
      await publish(fixture.path, READ, { name: "read" });
      await fixture.loaded("read");
      const { manager } = fixture.daemon;
      const paths = ["/read/text", "/read/wrapped", "/read/echo"];
      for (const path of paths) {
        const breakOff = await begin(fixture.url("/"), path);
        await until(() => manager.whoHolds("read").length > 0);
        await breakOff();
        await until(() => manager.whoHolds("read").length === 0);
      }
      // A lease may end before its plugin has answered.
      await until(() => total(fixture) === paths.length);
      const [generation] = manager.status().flatMap(({ generations }) => generations);
      assertEquals([generation?.calls, generation?.errors], [paths.length, 0]);
      assertEquals(fixture.gateway.counts().filter(({ status }) => status >= 500), []);
    });
  }
}

Deno.test("gateway: who asks for a WebSocket without what belongs to it is told so", async () => {
  await using fixture = await startGateway({ probation: { errorRate: 0.1, minCalls: 1 } });
  const source = "export default { fetch: (it) => Deno.upgradeWebSocket(it).response };";
  await publish(fixture.path, source, { name: "socket" });
  await fixture.loaded("socket");
  const heads = [
    "connection: close",
    "connection: close\r\nupgrade: websocket",
    "connection: upgrade, close\r\nupgrade: websocket\r\nsec-websocket-version: 13",
  ];
  for (const head of heads) {
    const answer = await sendRaw(
      fixture.url("/"),
      `GET /socket/ HTTP/1.1\r\nhost: a\r\n${head}\r\n\r\n`,
    );
    assertStringIncludes(answer, "HTTP/1.1 400 ");
    assertStringIncludes(answer, "application/problem+json");
  }
  const [generation] = fixture.daemon.manager.status().flatMap(({ generations }) => generations);
  assertEquals([generation?.calls, generation?.errors], [heads.length, 0]);
});
