import { assert, assertEquals } from "@std/assert";
import type { Generation } from "../manager/mod.ts";
import { SCN } from "./_artifacts.ts";
import { publish, within } from "./_daemon.ts";
import {
  type GatewayFixture,
  nextOf,
  openSocketAt,
  sendRaw,
  startGateway,
  until,
  upgradeHead,
} from "./_gateway.ts";

const NEXT = SCN + 1;

/** Answers with its SCN: at once, as a stream that it is told to go on with, and by a WebSocket. */
const source = (scn: number): string => `
  const { upgradeWebSocket } = Deno;
  const streams = new Set();
  export const tick = () => { for (const each of streams) each.enqueue("data: ${scn}\\n\\n"); };
  export const open = () => streams.size;
  export const end = () => { for (const each of streams) each.close(); };
  const stream = (type) => {
    let own;
    const body = new ReadableStream({
      start: (controller) => { streams.add(own = controller); },
      cancel: () => { streams.delete(own); },
    });
    return new Response(body.pipeThrough(new TextEncoderStream()), { headers: { "content-type": type } });
  };
  export default {
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/web/events") return stream("text/event-stream");
      if (pathname === "/web/stream") return stream("text/plain");
      if (pathname !== "/web/socket") return new Response("${scn}");
      const { socket, response } = upgradeWebSocket(request);
      socket.onmessage = ({ data }) => socket.send("${scn} " + data);
      return response;
    },
  };`;

async function loaded(fixture: GatewayFixture, scn = SCN): Promise<Generation> {
  await publish(fixture.path, source(scn), { name: "web", scn });
  await fixture.loaded("web", scn);
  return fixture.daemon.manager.current("web")!;
}

async function answerOf(fixture: GatewayFixture): Promise<string> {
  return await (await fixture.get("/web/")).text();
}

async function openSocket(fixture: GatewayFixture): Promise<WebSocket> {
  return await openSocketAt(fixture.url("/web/socket"));
}

Deno.test("gateway: a WebSocket stays on its generation over a swap, and holds it to its close", async () => {
  await using fixture = await startGateway();
  const first = await loaded(fixture);
  const socket = await openSocket(fixture);
  await loaded(fixture, NEXT);
  assertEquals(await answerOf(fixture), String(NEXT));
  const said = nextOf(socket);
  socket.send("hello");
  assertEquals(await said, `${SCN} hello`);
  assertEquals([first.state, first.leases, fixture.gateway.streams], ["superseded", 1, 1]);
  const closed = nextOf(socket);
  socket.close();
  assertEquals(await closed, "closed 1005");
  await until(() => first.leases === 0 && first.state === "parked");
  assertEquals(fixture.gateway.streams, 0);
});

Deno.test("gateway: a WebSocket whose client vanishes holds nothing", async () => {
  await using fixture = await startGateway();
  const first = await loaded(fixture);
  const { hostname, port } = fixture.url("/");
  const connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(upgradeHead("/web/socket")));
  await connection.read(new Uint8Array(1_000));
  assertEquals(first.leases, 1);
  connection.close();
  await until(() => first.leases === 0);
});

Deno.test("gateway: WebSockets and event streams end in order when their generation's time is over", async () => {
  await using fixture = await startGateway({ drainDeadline: 100 });
  const first = await loaded(fixture);
  const closed = nextOf(await openSocket(fixture));
  const events = (await fixture.get("/web/events")).text();
  await first.call("tick");
  await loaded(fixture, NEXT);
  assertEquals(await closed, "closed 1001");
  // No error: a client reads it to its end, and asks again where the newer one serves.
  assertEquals(await events, `data: ${SCN}\n\n`);
  await until(() => first.leases === 0);
  assertEquals(fixture.gateway.streams, 0);
  assertEquals(await answerOf(fixture), String(NEXT));
});

for (const tier of ["inline", "worker", "process"] as const) {
  Deno.test(`gateway: in tier ${tier}, an event stream that ends with its generation's time is no failure`, async () => {
    await using fixture = await startGateway({ tier, drainDeadline: 100 });
    const first = await loaded(fixture);
    const response = await fixture.get("/web/events");
    await first.call("tick");
    await loaded(fixture, NEXT);
    assertEquals(await response.text(), `data: ${SCN}\n\n`);
    await until(() => first.leases === 0);
    assertEquals(fixture.daemon.manager.statusOf("web")?.errors, 0);
  });
}

Deno.test("gateway: a generation whose time was over has it again after a rollback", async () => {
  await using fixture = await startGateway({ drainDeadline: 50 });
  const first = await loaded(fixture);
  const cut = await fixture.get("/web/events");
  await loaded(fixture, NEXT);
  await within(10_000, "the end of the stream", cut.text());
  await until(() => first.state === "parked");
  await fixture.daemon.rollback("web");
  const stream = await fixture.get("/web/events");
  const reader = stream.body!.getReader();
  await first.call("tick");
  const { value } = await within(10_000, "an event", reader.read());
  assertEquals(new TextDecoder().decode(value), `data: ${SCN}\n\n`);
  await reader.cancel();
});

Deno.test("gateway: an event stream that ends before that time is not cut", async () => {
  await using fixture = await startGateway();
  const first = await loaded(fixture);
  const response = await fixture.get("/web/events");
  const text = response.text();
  await loaded(fixture, NEXT);
  await first.call("tick");
  await first.call("end");
  assertEquals(await text, `data: ${SCN}\n\n`);
  assertEquals(response.headers.get("x-hotplug-scn"), String(SCN));
  await until(() => first.state === "parked");
});

for (const tier of ["inline", "worker", "process"] as const) {
  Deno.test(`gateway: in tier ${tier}, an answer under way at a swap is whole, and of one generation`, async () => {
    await using fixture = await startGateway({ tier });
    const first = await loaded(fixture);
    const response = await fixture.get("/web/stream");
    const text = response.text();
    await first.call("tick");
    await loaded(fixture, NEXT);
    assertEquals(await answerOf(fixture), String(NEXT));
    assertEquals(first.state, "superseded");
    await first.call("tick");
    await first.call("end");
    assertEquals(await text, `data: ${SCN}\n\n`.repeat(2));
    assertEquals(response.headers.get("x-hotplug-scn"), String(SCN));
    await until(() => first.state === "parked" && first.leases === 0);
  });

  Deno.test(`gateway: in tier ${tier}, a client that goes away lets its generation go`, async () => {
    await using fixture = await startGateway({ tier });
    const first = await loaded(fixture);
    const going = new AbortController();
    const response = await fixture.get("/web/stream", { signal: going.signal });
    await first.call("tick");
    const reader = response.body!.getReader();
    await reader.read();
    going.abort();
    await reader.closed.catch(() => {});
    await until(() => first.leases === 0);
  });
}

for (const tier of ["worker", "process"] as const) {
  Deno.test(`gateway: in tier ${tier}, there are no WebSockets: 501`, async () => {
    await using fixture = await startGateway({ tier });
    await loaded(fixture);
    const head = "GET /web/socket HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\n";
    const answer = await sendRaw(fixture.url("/"), `${head}connection: close, upgrade\r\n\r\n`);
    assert(answer.startsWith("HTTP/1.1 501 "), answer);
    assert(answer.includes(`"code":"unsupported"`), answer);
    assert(answer.includes(`"title":"Not Implemented"`), answer);
  });

  Deno.test(`gateway: in tier ${tier}, an answer that nobody begins to read is called off`, async () => {
    await using fixture = await startGateway({ tier });
    const first = await loaded(fixture);
    {
      using lease = fixture.daemon.manager.acquire("web");
      const request = new Request("http://a/web/stream");
      const response = await lease.fetch(request, { remoteAddr: undefined });
      assertEquals(await first.call("open"), 1);
      await response.body?.cancel();
    }
    assertEquals([await first.call("open"), first.leases], [0, 0]);
  });

  Deno.test(`gateway: in tier ${tier}, an answer is cut when its generation's time is over`, async () => {
    await using fixture = await startGateway({ tier, drainDeadline: 100 });
    const first = await loaded(fixture);
    const response = await fixture.get("/web/stream");
    await first.call("tick");
    await loaded(fixture, NEXT);
    let failed = false;
    // It must not look whole.
    await response.text().catch(() => failed = true);
    assert(failed);
    await until(() => first.leases === 0);
  });
}

Deno.test("gateway: swapped under fire, no request fails, and none is of two generations", async () => {
  await using fixture = await startGateway();
  await loaded(fixture);
  const stop = new AbortController();
  const wrong: string[] = [];
  const seen = new Set<string>();
  const ask = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const response = await fixture.get("/web/");
      const [scn, text] = [response.headers.get("x-hotplug-scn"), await response.text()];
      seen.add(text);
      if (response.status !== 200 || scn !== text) wrong.push(`${response.status} ${scn} ${text}`);
    }
  };
  const asking = Promise.all(Array.from({ length: 16 }, ask));
  seen.add(await answerOf(fixture));
  for (let scn = NEXT; scn < NEXT + 20; scn++) {
    await loaded(fixture, scn);
    seen.add(await answerOf(fixture));
  }
  stop.abort();
  await asking;
  assertEquals(wrong, []);
  assertEquals(seen.size, 21);
});

Deno.test("gateway: closed, it tells WebSockets and event streams to go", async () => {
  await using fixture = await startGateway();
  const first = await loaded(fixture);
  const closed = nextOf(await openSocket(fixture));
  const events = (await fixture.get("/web/events")).text();
  await fixture.gateway.close({ drain: 10_000 });
  assertEquals([await closed, await events], ["closed 1001", ""]);
  await until(() => first.leases === 0);
});

Deno.test("gateway: an event stream that its client does not read is cancelled at the drain deadline", async () => {
  await using fixture = await startGateway({ drainDeadline: 100 });
  await publish(
    fixture.path,
    `
    let pulls = 0, cancels = 0;
    export const counts = () => [pulls, cancels];
    const source = {
      pull: (controller) => { pulls++; controller.enqueue(new Uint8Array(1_000_000)); },
      cancel: () => { cancels++; },
    };
    const headers = { "content-type": "text/event-stream" };
    export default { fetch: () => new Response(new ReadableStream(source), { headers }) };`,
    { name: "web" },
  );
  await fixture.loaded("web");
  const first = fixture.daemon.manager.current("web")!;
  const counts = first.lookup("counts") as () => [number, number];
  const { hostname, port } = fixture.url("/");
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode("GET /web/ HTTP/1.1\r\nhost: a\r\n\r\n"));
  await until(() => counts()[0] > 2);
  await loaded(fixture, NEXT);
  await until(() => counts()[1] === 1);
});
