import { assertEquals } from "@std/assert";
import { areHeadersRead, hostOf } from "../daemon/gateway/request_headers.ts";

Deno.test("the host of a request that is served is known without asking for its headers", async () => {
  const told: unknown[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      told.push(hostOf(request) === new URL(request.url).host, areHeadersRead(request));
      request.headers.has("accept");
      told.push(areHeadersRead(request));
      return new Response();
    },
  );
  await (await fetch(`http://127.0.0.1:${server.addr.port}/`)).body?.cancel();
  assertEquals(told, [true, false, true]);
});

Deno.test("the host of a request that nobody serves is asked of its headers", () => {
  const request = new Request("http://a/", { headers: { host: "b" } });
  assertEquals([hostOf(request), hostOf(new Request("http://a/"))], ["b", null]);
});
