import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { once } from "node:events";
import { connect } from "node:http2";
import { hostname } from "node:os";
import { join } from "@std/path";
import { type ControlOptions, ControlServer } from "../daemon/mod.ts";
import { rawRequest, startControl, tcpOf } from "./_control.ts";
import { makeDaemon } from "./_daemon.ts";
import { assertThrowsCode } from "./_errors.ts";
import { documentChecker } from "./_openapi.ts";
import { tempDirectory } from "./_temp.ts";

const TOKEN = "a-token-that-is-long-enough";
const isWindows = Deno.build.os === "windows";

Deno.test("on TCP without the token all but livez and readyz is 401", async () => {
  await using at = await startControl({ token: TOKEN, allowInvoke: true });
  const { operations } = documentChecker(
    await at.json("GET", "/v1/openapi.json") as Record<string, unknown>,
  );
  const paths = [...new Set(operations.map(({ path }) => path.replaceAll(/[{}]/g, "")))];
  const others = [
    "/",
    "/v1/openapi.json",
    "/nothing",
    "/livez/",
    "/readyz/..%2f",
    "/LIVEZ",
    "//livez",
  ];
  const tokens = ["", "Bearer", "Bearer x", `Bearer ${TOKEN}x`, `Basic ${TOKEN}`, TOKEN];
  for (const path of [...paths, ...others]) {
    for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      if (path === "/livez" || path === "/readyz") continue;
      for (const authorization of tokens) {
        const response = await at.ask(method, path, { tcp: true, headers: { authorization } });
        const problem = await response.json();
        const what = `${method} ${path} ${authorization}`;
        assertEquals([response.status, problem.code], [401, "unauthorized"], what);
        assertEquals(response.headers.get("www-authenticate"), "Bearer");
      }
    }
  }
  for (const path of ["/livez", "/readyz"]) {
    const response = await at.ask("GET", path, { tcp: true });
    assertEquals([response.status, await response.text()], [200, "ok\n"]);
  }
  const headers = { authorization: `Bearer ${TOKEN}` };
  const response = await at.ask("GET", "/v1/status", { tcp: true, headers });
  assertEquals([response.status, (await response.json()).ready], [200, true]);
  assertEquals(at.fixture.daemon.status().plugins, []);
});

Deno.test("on TCP a name that is not this machine's, and a web page, are refused", async () => {
  await using at = await startControl({ token: TOKEN });
  const { port } = new URL(at.place.url ?? "");
  const ask = async (headers: Readonly<Record<string, string>>): Promise<string> => {
    const all = { ...headers, authorization: `Bearer ${TOKEN}`, connection: "close" };
    const lines = Object.entries(all).map((each) => each.join(": "));
    const request = `GET /v1/status HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
    return await rawRequest(tcpOf(at.place), request);
  };
  const refused: readonly Record<string, string>[] = [
    { host: "evil.example.com" },
    { host: `evil.example.com:${port}` },
    { host: `127.0.0.1.evil.example.com:${port}` },
    { host: `localhost.:${port}` },
    { host: "" },
    { host: `127.0.0.1:${port}`, origin: "https://example.com" },
    { host: `127.0.0.1:${port}`, origin: `http://localhost:${port}` },
    { host: `127.0.0.1:${port}`, origin: "null" },
    { host: `127.0.0.1:${port}`, "sec-fetch-site": "cross-site" },
  ];
  for (const headers of refused) {
    const answer = await ask(headers);
    assertMatch(answer, /^HTTP\/1\.1 403 /, JSON.stringify(headers));
    assertStringIncludes(answer, `"code":"forbidden"`);
  }
  const own = ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "192.168.7.7", hostname()];
  for (const name of own) {
    assertMatch(await ask({ host: `${name}:${port}` }), /^HTTP\/1\.1 200 /, name);
  }
  const page = { host: `127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}` };
  assertMatch(await ask({ ...page, "sec-fetch-site": "same-origin" }), /^HTTP\/1\.1 200 /);
});

Deno.test("on the unix socket any name is good, and no web page", async () => {
  await using at = await startControl();
  const ask = async (headers: Record<string, string>) => {
    const response = await at.ask("GET", "/v1/status", { headers });
    await response.text();
    return response.status;
  };
  assertEquals(await ask({}), 200);
  assertEquals(await ask({ origin: "http://localhost" }), 403);
  assertEquals(await ask({ "sec-fetch-site": "cross-site" }), 403);
});

Deno.test("on TCP by HTTP/2 a request is held to the same: by its address, and the token", async () => {
  await using at = await startControl({ token: TOKEN });
  const { port } = new URL(at.place.url ?? "");
  const session = connect(`http://127.0.0.1:${port}`);
  const ask = async (name: string, headers: Readonly<Record<string, string>>): Promise<unknown> => {
    const request = { ":path": "/v1/status", ":authority": `${name}:${port}`, ...headers };
    const stream = session.request(request).resume();
    const [{ ":status": status }] = await once(stream, "response");
    return status;
  };
  const authorization = `Bearer ${TOKEN}`;
  assertEquals(await ask("127.0.0.1", { authorization }), 200);
  assertEquals(await ask("127.0.0.1", {}), 401);
  assertEquals(await ask("evil.example.com", { authorization }), 403);
  const closed = once(session, "close");
  session.close();
  await closed;
});

Deno.test({
  name: "a token that is made is private, and the same after a restart",
  ignore: isWindows,
  async fn() {
    await using directory = await tempDirectory();
    const state = directory.file("state");
    const tcp = { hostname: "127.0.0.1", port: 0 };
    const path = join(state, "control.token");
    const run = async (): Promise<string> => {
      await using fixture = makeDaemon([directory.file("plugins")], { state });
      await fixture.daemon.open();
      await using control = new ControlServer(fixture.daemon, { state, tcp });
      const { url } = await control.start();
      const token = (await Deno.readTextFile(path)).trim();
      assertMatch(token, /^[\w-]{43}$/);
      assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(new URL("/v1/status", url), { headers });
      await response.text();
      assertEquals(response.status, 200);
      return token;
    };
    const first = await run();
    assertEquals(await run(), first);
    // What others could read, and what is no token, is replaced.
    await Deno.chmod(path, 0o644);
    const second = await run();
    assert(second !== first);
    await Deno.writeTextFile(path, "rubbish");
    assert(await run() !== second);
  },
});

Deno.test("options that make no sense are refused by name", () => {
  const cases: readonly (readonly [ControlOptions, string])[] = [
    [{}, "Nowhere to listen"],
    [{ tcp: { hostname: "127.0.0.1", port: 0 } }, "--token-file"],
    [{ tcp: { hostname: "127.0.0.1", port: 65_536 }, token: TOKEN }, "port"],
    [{ state: "s", token: "short" }, "16 characters"],
    [{ state: "s", token: "with spaces in between them" }, "without spaces"],
    [{ state: "s", history: 0 }, "history"],
    [{ state: "s", readers: 0 }, "readers"],
    [{ state: "s", heartbeat: 0 }, "heartbeat"],
    [{ state: "s", bodyBytes: 0 }, "bodyBytes"],
    [{ state: "s", bodyTime: 0 }, "bodyTime"],
  ];
  const { daemon } = makeDaemon(["nowhere"]);
  for (const [options, word] of cases) {
    const { message } = assertThrowsCode(() => new ControlServer(daemon, options), "options");
    assertStringIncludes(message, word);
  }
});
