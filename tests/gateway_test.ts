import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Metrics } from "../daemon/control/metrics.ts";
import { Gateway } from "../daemon/mod.ts";
import { SCN } from "./_artifacts.ts";
import { publish } from "./_daemon.ts";
import { assertCode, assertThrowsCode } from "./_errors.ts";
import { sendRaw, startGateway, until } from "./_gateway.ts";

const TIERS = ["inline", "worker", "process"] as const;
const ECHO = `
  export default {
    async fetch(request, info) {
      const body = request.body === null ? null : await request.text();
      const { method, url } = request;
      const headers = Object.fromEntries(request.headers);
      return Response.json({ method, url, headers, body, from: info.remoteAddr.hostname }, {
        status: 201,
        headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]],
      });
    },
  };`;

for (const tier of TIERS) {
  Deno.test(`gateway: a plugin in tier ${tier} gets the request as it came, and its answer goes back`, async () => {
    await using fixture = await startGateway({ tier });
    await publish(fixture.path, ECHO, { name: "echo" });
    await fixture.loaded("echo");
    const response = await fixture.get("/echo/a%2Fb/../c?x=%20y&x", {
      method: "PUT",
      headers: { "x-own": "ü".normalize("NFD").slice(0, 1), "content-type": "text/x" },
      body: "some text",
    });
    assertEquals(response.status, 201);
    assertEquals(response.headers.get("x-hotplug-scn"), String(SCN));
    assertEquals(response.headers.getSetCookie(), ["a=1", "b=2"]);
    const { method, url, headers, body, from } = await response.json();
    assertEquals([method, body, from], ["PUT", "some text", "127.0.0.1"]);
    assertEquals(url, fixture.url("/echo/a%2Fb/../c?x=%20y&x").href);
    assertEquals([headers["x-own"], headers["content-type"]], ["u", "text/x"]);
  });

  Deno.test(`gateway: in tier ${tier}, a request's body is read as it comes`, async () => {
    await using fixture = await startGateway({ tier });
    const source = `
      let news = Promise.withResolvers();
      export const heard = () => news.promise;
      export default {
        async fetch(request) {
          const heard = [];
          for await (const text of request.body.pipeThrough(new TextDecoderStream())) {
            heard.push(text);
            news.resolve(text);
            news = Promise.withResolvers();
          }
          return Response.json(heard);
        },
      };`;
    await publish(fixture.path, source, { name: "ear" });
    await fixture.loaded("ear");
    const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
    const writer = writable.getWriter();
    const answering = fixture.get("/ear/", { method: "POST", body: readable });
    const generation = fixture.daemon.manager.current("ear");
    for (const text of ["first", "second"]) {
      const heard = generation?.call("heard");
      await writer.write(new TextEncoder().encode(text));
      // While the request goes on: nothing waits for the whole.
      assertEquals(await heard, text);
    }
    await writer.close();
    assertEquals(await (await answering).json(), ["first", "second"]);
  });

  Deno.test(`gateway: in tier ${tier}, an answer goes out as it is made`, async () => {
    await using fixture = await startGateway({ tier });
    const source = `
      let say;
      export const tell = (text) => text === undefined ? say.close() : say.enqueue(text);
      export default {
        fetch() {
          const body = new ReadableStream({ start: (controller) => say = controller });
          return new Response(body.pipeThrough(new TextEncoderStream()));
        },
      };`;
    await publish(fixture.path, source, { name: "mouth" });
    await fixture.loaded("mouth");
    const response = await fixture.get("/mouth/");
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const generation = fixture.daemon.manager.current("mouth");
    for (const text of ["first", "second"]) {
      await generation?.call("tell", text);
      assertEquals(await reader.read(), { done: false, value: text });
      assert((generation?.leases ?? 0) > 0);
    }
    await generation?.call("tell");
    assertEquals((await reader.read()).done, true);
  });

  Deno.test(`gateway: a plugin in tier ${tier} that fails is 502, and its words stay here`, async () => {
    await using fixture = await startGateway({ tier });
    const source = `
      export default {
        fetch(request) {
          const path = new URL(request.url).pathname;
          if (path.endsWith("/throw")) throw new Error("the password is 1234");
          if (path.endsWith("/reject")) return Promise.reject("no error at all");
          if (path.endsWith("/number")) return 5;
          if (path.endsWith("/error")) return Response.error();
          if (path.endsWith("/fake")) return Object.create(Response.prototype);
          if (path.endsWith("/later")) return Promise.resolve(Object.create(Response.prototype));
          const used = new Response("x");
          used.body.cancel();
          return used;
        },
      };`;
    await publish(fixture.path, source, { name: "bad" });
    await fixture.loaded("bad");
    const ways = ["throw", "reject", "number", "error", "fake", "later", "used"];
    for (const path of ways.map((each) => `/bad/${each}`)) {
      const response = await fixture.get(path);
      const problem = await response.json();
      assertEquals([path, response.status, problem.status], [path, 502, 502]);
      assertEquals(response.headers.get("content-type"), "application/problem+json");
      assertEquals(response.headers.get("x-hotplug-scn"), String(SCN));
      assert(!problem.detail.includes("1234"), problem.detail);
    }
    const [generation] = fixture.daemon.manager.status().flatMap(({ generations }) => generations);
    assertEquals([generation?.calls, generation?.errors], [ways.length, ways.length]);
    await until(() => fixture.daemon.manager.whoHolds("bad").length === 0);
  });

  Deno.test(`gateway: in tier ${tier}, what a request does not read of its body is let go`, async () => {
    await using fixture = await startGateway({ tier });
    const source = `export default { fetch: () => new Response("enough") };`;
    await publish(fixture.path, source, { name: "deaf" });
    await fixture.loaded("deaf");
    for (let count = 0; count < 50; count++) {
      const response = await fixture.get("/deaf/", { method: "POST", body: "x".repeat(100_000) });
      assertEquals(await response.text(), "enough");
    }
    await until(() => fixture.daemon.manager.whoHolds("deaf").length === 0);
  });
}

Deno.test("gateway: a path that is no plugin's is 404, to the letter", async () => {
  await using fixture = await startGateway();
  await publish(fixture.path, ECHO, { name: "echo" });
  await publish(fixture.path, "export const answer = () => 1;", { name: "mute" });
  await Promise.all([fixture.loaded("echo"), fixture.loaded("mute")]);
  const paths = [
    "/",
    "/nope/",
    "/ech%6f/",
    "/Echo/",
    "//echo/",
    "/%2e%2e/echo",
    "/.",
    "/mute/",
    "https://echo/nope/",
    "https://echo",
  ];
  for (const path of paths) {
    const request = `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`;
    const answer = await sendRaw(fixture.url("/"), request);
    assert(answer.startsWith("HTTP/1.1 404 "), `${path}: ${answer}`);
    assertStringIncludes(answer, "application/problem+json");
  }
  // What has a query or nothing at all behind its name is the plugin's, too.
  for (const path of ["/echo", "/echo?x", "/echo/../nope", "https://mute/echo"]) {
    const request = `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`;
    const answer = await sendRaw(fixture.url("/"), request);
    assert(answer.startsWith("HTTP/1.1 201 "), `${path}: ${answer}`);
  }
});

Deno.test("gateway: what is there and not loaded is 503, with a time to come back", async () => {
  await using fixture = await startGateway();
  await publish(fixture.path, "syntax error", { name: "broken" });
  await fixture.failed("syntax");
  const response = await fixture.get("/broken/");
  assertEquals([response.status, response.headers.get("retry-after")], [503, "1"]);
  assertEquals((await response.json()).code, "not-found");
  await publish(fixture.path, ECHO, { name: "broken", scn: SCN + 1 });
  await fixture.loaded("broken");
  const again = await fixture.get("/broken/");
  assertEquals(again.status, 201);
  await again.body?.cancel();
});

Deno.test("gateway: before the first scan, any plugin may yet come", async () => {
  await using fixture = await startGateway();
  const { daemon } = fixture;
  const early = new Gateway({ manager: daemon.manager, knows: () => true });
  const response = await fetch(new URL("any/", await early.start()));
  assertEquals(response.status, 503);
  await response.body?.cancel();
  await early.close();
  assertEquals(daemon.knows("any"), false);
});

Deno.test("gateway: more requests at a time than a plugin may have are 503", async () => {
  await using fixture = await startGateway({ maxInFlight: 1 });
  const source = `
    let go;
    const gone = new Promise((resolve) => go = resolve);
    export default {
      async fetch(request) {
        if (request.url.endsWith("/wait")) await gone;
        return new Response("done");
      },
    };
    export const release = () => go();`;
  await publish(fixture.path, source, { name: "slow" });
  await fixture.loaded("slow");
  const waiting = fixture.get("/slow/wait");
  await until(() => fixture.daemon.manager.whoHolds("slow").length > 0);
  const second = await fixture.get("/slow/");
  assertEquals([second.status, (await second.json()).code], [503, "busy"]);
  fixture.daemon.manager.current("slow")?.lookup<() => void>("release")();
  assertEquals(await (await waiting).text(), "done");
});

Deno.test("gateway: a plugin that is quiescing gets no request; they wait for the flip", async () => {
  await using fixture = await startGateway();
  const source = (scn: number): string => `
    let quiet = false;
    export const quiesce = () => { quiet = true; return new Promise((resolve) => setTimeout(resolve, 100)); };
    export default { fetch: () => new Response(quiet ? "quiet" : "${scn}") };`;
  await publish(fixture.path, source(SCN), { name: "shy" });
  await fixture.loaded("shy");
  const asking = new AbortController();
  const answers = new Set([await (await fixture.get("/shy/")).text()]);
  const ask = async (): Promise<void> => {
    while (!asking.signal.aborted) answers.add(await (await fixture.get("/shy/")).text());
  };
  const asked = ask();
  await publish(fixture.path, source(SCN + 1), { name: "shy", scn: SCN + 1 });
  await fixture.loaded("shy", SCN + 1);
  answers.add(await (await fixture.get("/shy/")).text());
  asking.abort();
  await asked;
  assertEquals([...answers], [String(SCN), String(SCN + 1)]);
});

Deno.test("gateway: its port is taken, or out of range: an error says so", async () => {
  await using fixture = await startGateway();
  const port = Number(fixture.url("/").port);
  const second = new Gateway(fixture.daemon, { port });
  const { message } = await assertCode(second.start(), "listen");
  assertStringIncludes(message, `Cannot listen on 127.0.0.1:${port}`);
  await second.close();
  await second.close();
  const third = new Gateway(fixture.daemon);
  await third.close();
  await assertCode(third.start(), "closed");
  assertThrowsCode(() => new Gateway(fixture.daemon, { port: 70_000 }), "options");
});

Deno.test("gateway: closed, it takes no more requests, and those under way end", async () => {
  await using fixture = await startGateway();
  const source = `
    let go;
    const gone = new Promise((resolve) => go = resolve);
    export const release = () => go();
    export default {
      async fetch() {
        await gone;
        return new Response("whole");
      },
    };`;
  await publish(fixture.path, source, { name: "slow" });
  await fixture.loaded("slow");
  const answering = fixture.get("/slow/");
  await until(() => fixture.daemon.manager.whoHolds("slow").length > 0);
  const closing = fixture.gateway.close({ drain: 10_000 });
  const late = await fixture.get("/slow/");
  assertEquals([late.status, (await late.json()).code], [503, "closed"]);
  fixture.daemon.manager.current("slow")?.lookup<() => void>("release")();
  assertEquals(await (await answering).text(), "whole");
  await closing;
  let refused = false;
  await fixture.get("/slow/").catch(() => refused = true);
  assert(refused);
});

Deno.test("gateway: closed, it breaks off what is not answered in its time", async () => {
  await using fixture = await startGateway();
  const source = `
    const never = new Promise(() => {});
    export default {
      async fetch(request) {
        if (request.url.endsWith("/never")) await never;
        return new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) }));
      },
    };`;
  await publish(fixture.path, source, { name: "slow" });
  await fixture.loaded("slow");
  const response = await fixture.get("/slow/stream");
  const ends = Promise.allSettled([fixture.get("/slow/never"), response.bytes()]);
  await until(() => fixture.daemon.manager.whoHolds("slow").length === 2);
  await fixture.gateway.close({ drain: 50 });
  assertEquals((await ends).map(({ status }) => status), ["rejected", "rejected"]);
});

Deno.test("gateway: its answers are among the metrics", async () => {
  await using fixture = await startGateway();
  await publish(fixture.path, ECHO, { name: "echo" });
  await fixture.loaded("echo");
  using metrics = new Metrics(fixture.daemon, fixture.gateway);
  for (const path of ["/echo/", "/echo/x", "/nope/"]) await (await fixture.get(path)).text();
  for (let count = 0; count < 2; count++) {
    const text = await metrics.text();
    assertStringIncludes(text, 'hotplug_gateway_requests_total{plugin="echo",status="201"} 2\n');
    assertStringIncludes(text, 'hotplug_gateway_requests_total{plugin="",status="404"} 1\n');
    assertStringIncludes(text, "hotplug_gateway_streams 0\n");
    assertStringIncludes(text, 'hotplug_calls_total{plugin="echo"} 2\n');
  }
});

Deno.test("gateway: an answer that can't be sent is 502, and holds nothing", async () => {
  await using fixture = await startGateway();
  const source = `
    export default {
      fetch(request) {
        const type = request.url.includes("events") ? "text/event-stream" : "text/plain";
        const headers = { "content-type": type, "set-cookie": "a=b", "cache-control": "public" };
        const response = new Response(request.url.includes("bytes") ? new Blob(["x"]) : "x", { headers });
        response.body.getReader();
        return request.url.endsWith("later") ? Promise.resolve(response) : response;
      },
    };`;
  await publish(fixture.path, source, { name: "locked" });
  await fixture.loaded("locked");
  const paths = ["", "later", "bytes", "bytes/later", "events", "events/later"];
  for (const path of paths.map((each) => `/locked/${each}`)) {
    const response = await fixture.get(path);
    assertEquals([path, response.status, (await response.json()).code], [path, 502, "call"]);
    // Nothing of what was to be sent.
    assertEquals(response.headers.get("content-type"), "application/problem+json");
    assertEquals([...response.headers.keys()].filter((name) => /^(set-|cache-)/.test(name)), []);
  }
  const count = paths.length;
  assertEquals(fixture.gateway.counts(), [{ plugin: "locked", status: 502, count }]);
  const [plugin] = fixture.daemon.manager.status().filter(({ name }) => name === "locked");
  assertEquals([plugin?.calls, plugin?.errors], [count, count]);
  await until(() => fixture.daemon.manager.whoHolds("locked").length === 0);
});

Deno.test("gateway: an answer that its plugin reads after it gave it ends, at whatever step it does", async () => {
  await using fixture = await startGateway();
  const source = (scn: number): string => `
    export const quiesce = () => new Promise((resolve) => setTimeout(resolve, 50));
    const readAfter = async (steps, answer) => {
      for (let step = 0; step < steps; step++) await null;
      await answer.text().catch(() => {});
    };
    const later = async (answer) => {
      await null;
      return answer;
    };
    export default {
      fetch(request) {
        const [, , kind, steps] = new URL(request.url).pathname.split("/");
        const stream = new Blob(["whole"]).stream().pipeThrough(new TransformStream());
        const answer = new Response(kind === "text" ? "whole" : stream, { headers: { from: "${scn}" } });
        readAfter(Number(steps), answer);
        if (kind === "headers") request.headers.get("host");
        return kind === "text" || kind === "stream" ? later(answer) : answer;
      },
    };`;
  const ask = async (kind: string, steps: number): Promise<string> => {
    const signal = AbortSignal.timeout(20_000);
    const response = await fixture.get(`/read/${kind}/${steps}`, { signal });
    const text = await response.text();
    return response.status === 502 && text.includes('"code":"call"') ? "refused" : text;
  };
  const askAll = () =>
    ["text", "stream", "sync", "headers"].flatMap((kind) =>
      Array.from({ length: 20 }, (_, steps) => ask(kind, steps))
    );
  await publish(fixture.path, source(SCN), { name: "read" });
  await fixture.loaded("read");
  for (const each of await Promise.all(askAll())) assertMatch(each, /^(whole|refused)$/);
  // Those that wait for a swap come later, too.
  const waiting: Promise<string>[] = [];
  const isGated = () => fixture.daemon.manager.gate("read") !== undefined;
  const swapped = until(isGated).then(() => waiting.push(...askAll()));
  await publish(fixture.path, source(SCN + 1), { name: "read", scn: SCN + 1 });
  await swapped;
  for (const each of await Promise.all(waiting)) assertMatch(each, /^(whole|refused)$/);
  await until(() => fixture.daemon.manager.whoHolds("read").length === 0);
});

Deno.test("gateway: an answer keeps its length, at once or later, and its headers", async () => {
  await using fixture = await startGateway();
  const source = `
    export default {
      fetch(request) {
        const response = new Response("four", { headers: [["set-cookie", "a"], ["set-cookie", "b"]] });
        return request.url.endsWith("later") ? Promise.resolve(response) : response;
      },
    };`;
  await publish(fixture.path, source, { name: "web" });
  await fixture.loaded("web");
  for (const path of ["/web/", "/web/later"]) {
    const { headers, body } = await fixture.get(path);
    await body?.cancel();
    assertEquals([path, headers.get("content-length")], [path, "4"]);
    assertEquals(headers.getSetCookie(), ["a", "b"]);
    assertEquals(headers.get("x-hotplug-scn"), String(SCN));
  }
});
