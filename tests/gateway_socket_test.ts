import { assert, assertEquals } from "@std/assert";
import { publish } from "./_daemon.ts";
import { nextOf, openSocketAt, sendRaw, startGateway, until, upgradeHead } from "./_gateway.ts";

Deno.test("gateway: a WebSocket whose client vanishes before it is answered holds nothing", async () => {
  await using fixture = await startGateway();
  const source = `
    let go;
    const gone = new Promise((resolve) => go = resolve);
    export const answer = () => go();
    export default {
      async fetch(request) {
        await gone;
        return Deno.upgradeWebSocket(request).response;
      },
    };`;
  await publish(fixture.path, source, { name: "slow" });
  await fixture.loaded("slow");
  const generation = fixture.daemon.manager.current("slow")!;
  const { hostname, port } = fixture.url("/");
  const connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(upgradeHead("/slow/")));
  await until(() => generation.leases === 1);
  connection.close();
  // Until the server has read that: nothing tells when.
  await new Promise((resolve) => setTimeout(resolve, 200));
  await generation.call("answer");
  await until(() => generation.leases === 0);
  assertEquals(fixture.gateway.streams, 0);
});

const ECHO = "export default { fetch: (it) => Deno.upgradeWebSocket(it).response };";
const BRIEF = `
  export default {
    fetch(request) {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onopen = () => socket.close(1000, "that is all");
      return response;
    },
  };`;

for (const [who, source] of [["a swap", ECHO], ["its plugin", BRIEF]] as const) {
  Deno.test(`gateway: a WebSocket that ${who} ends holds nothing, though its client does not answer`, async () => {
    await using fixture = await startGateway({ drainDeadline: 100 });
    const { parts } = await publish(fixture.path, source, { name: "web" });
    await fixture.loaded("web");
    const generation = fixture.daemon.manager.current("web")!;
    const { hostname, port } = fixture.url("/");
    using connection = await Deno.connect({ hostname, port: Number(port) });
    await connection.write(new TextEncoder().encode(upgradeHead("/web/")));
    await connection.read(new Uint8Array(1_000));
    assertEquals(generation.leases, 1);
    if (source === ECHO) await publish(fixture.path, source, { name: "web", scn: parts.scn + 1 });
    await until(() => generation.leases === 0);
    assertEquals(fixture.gateway.streams, 0);
  });
}

Deno.test("gateway: a plugin that makes a WebSocket, and then fails, ends that and nothing else", async () => {
  await using fixture = await startGateway();
  const source = `
    export default {
      fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === "/bad/") return new Response("served");
        const { response } = Deno.upgradeWebSocket(request);
        if (pathname === "/bad/throw") throw new Error("too late");
        if (pathname === "/bad/reject") return Promise.reject(new Error("too late"));
        if (pathname === "/bad/other") return new Response("no", { status: 403 });
        // As who adds a header would.
        return new Response(null, response);
      },
    };`;
  await publish(fixture.path, source, { name: "bad" });
  await fixture.loaded("bad");
  const open = (path: string): Promise<WebSocket> => openSocketAt(fixture.url(path));
  for (const path of ["/bad/throw", "/bad/reject", "/bad/other"]) {
    assertEquals([path, await nextOf(await open(path))], [path, "closed 1011"]);
    assertEquals(await (await fixture.get("/bad/")).text(), "served");
  }
  const socket = await open("/bad/copy");
  const closed = nextOf(socket);
  socket.close();
  assertEquals(await closed, "closed 1005");
  assertEquals(await (await fixture.get("/bad/")).text(), "served");
  const generation = fixture.daemon.manager.current("bad")!;
  await until(() => generation.leases === 0);
});

for (const tier of ["inline", "worker", "process"] as const) {
  Deno.test(`gateway: in tier ${tier}, an upgrade that nobody asked for is 502`, async () => {
    await using fixture = await startGateway({ tier });
    const source = `export default { fetch: () => new Response(null, { status: 101 }) };`;
    await publish(fixture.path, source, { name: "eager" });
    await fixture.loaded("eager");
    const request = "GET /eager/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    const answer = await sendRaw(fixture.url("/"), request);
    assert(answer.startsWith("HTTP/1.1 502 "), answer);
    await until(() => fixture.daemon.manager.whoHolds("eager").length === 0);
  });
}
