import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { build, BuildService, type BuildServiceOptions } from "../builder/mod.ts";
import { buildService } from "./_build_service.ts";
import { builderFixture, failureOf } from "./_builder_fixture.ts";
import { assertCode, assertThrowsCode } from "./_errors.ts";

const TOKEN = "a-token-that-is-long-enough";
const PLUGIN = new File(["export const one = 1;"], "tax.ts");
const UNCHECKED = JSON.stringify({ check: false });

interface Told {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** What an answer says that is a problem. */
async function problemOf(response: Response): Promise<Told> {
  const body = await response.json();
  assertEquals(response.headers.get("content-type"), "application/problem+json");
  assertEquals([body.type, body.status], ["about:blank", response.status]);
  return body;
}

Deno.test("a service tells how it is, and answers a build with a tar of what was made", async () => {
  await using service = await buildService({ builds: 3, queue: 5 });
  const answer = await service.post({ options: UNCHECKED, source: PLUGIN });
  assertEquals([answer.status, answer.headers.get("content-type")], [200, "application/x-tar"]);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const text = new TextDecoder().decode(bytes);
  assert(text.startsWith("answer.json\0"));
  for (const name of [/tax_\d{14}_\S+_any_any\.mjs\0/, /any_any\.mjs\.map\0/, /any_any\.pinf\0/]) {
    assertMatch(text, name);
  }
  await service.idle();
  const status = await (await fetch(new URL("v1/api/status", service.url))).json();
  const { version, startedAt, ...rest } = status;
  assertMatch(version, /^\d+\.\d+\.\d+$/);
  assert(Date.now() - Date.parse(startedAt) < 60_000);
  assertEquals(rest, {
    status: "up",
    deno: Deno.version.deno,
    target: rest.target,
    active: 0,
    waiting: 0,
    counts: { built: 1, failed: 0, cancelled: 0, refused: 0 },
    limits: { builds: 3, queue: 5, bodyBytes: 67_108_864, timeLimit: 600_000 },
  });
  assertEquals(service.events.map(({ type }) => type), ["listening", "built"]);
});

Deno.test("with a token nobody is served who does not bring it", async () => {
  await using service = await buildService({ token: TOKEN });
  const { url } = service;
  for (const authorization of [undefined, "Bearer other", `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
    const headers: Record<string, string> = authorization ? { authorization } : {};
    for (const path of ["v1/api/status", "v1/api/build", "nothing"]) {
      const response = await fetch(new URL(path, url), { headers });
      assertEquals((await problemOf(response)).code, "unauthorized");
      assertEquals([response.status, response.headers.get("www-authenticate")], [401, "Bearer"]);
    }
  }
  const headers = { authorization: `Bearer ${TOKEN}`, origin: "https://example.com" };
  const known = await fetch(new URL("v1/api/status", url), { headers });
  assertEquals((await known.json()).counts.refused, 12);

  await using fixture = await builderFixture({ "tax.ts": "export const one = 1;" });
  const options = { source: join(fixture.source, "tax.ts"), dest: fixture.dest, check: false };
  const missing = await failureOf(build({ ...options, remote: url }));
  const wrong = await failureOf(build({ ...options, remote: { url, token: "wrong" } }));
  assertEquals([missing.code, wrong.code], ["unauthorized", "unauthorized"]);
  assertStringIncludes(missing.message, "--token-file");
  assertEquals((await build({ ...options, remote: { url, token: TOKEN } })).artifacts.length, 1);
});

Deno.test("without a token no web page is served, under whatever name it comes", async () => {
  await using service = await buildService();
  const { port } = service.url;
  const pages: readonly Record<string, string>[] = [
    { host: "evil.example.com" },
    { host: `evil.example.com:${port}` },
    { host: `127.0.0.1.evil.example.com:${port}` },
    { host: `127.0.0.1:${port}`, origin: "https://example.com" },
    { host: `127.0.0.1:${port}`, origin: "null" },
    { host: `127.0.0.1:${port}`, "sec-fetch-site": "cross-site" },
  ];
  for (const headers of pages) {
    const answer = await rawRequest(Number(port), "GET /v1/api/status", headers);
    assertMatch(answer, /^HTTP\/1\.1 401 /, JSON.stringify(headers));
    assertStringIncludes(answer, `"code":"unauthorized"`);
  }
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, "[::1]"]) {
    assertMatch(await rawRequest(Number(port), "GET /v1/api/status", { host }), /^HTTP\/1\.1 200 /);
  }
});

/** A request as bytes: no client lets anybody set its host. */
async function rawRequest(
  port: number,
  line: string,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  using connection = await Deno.connect({ port });
  const lines = Object.entries({ ...headers, connection: "close" }).map((each) => each.join(": "));
  const head = `${line} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
  await connection.write(new TextEncoder().encode(head));
  let text = "";
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(4096);
  for (let n = await connection.read(chunk); n !== null; n = await connection.read(chunk)) {
    text += decoder.decode(chunk.subarray(0, n));
  }
  return text;
}

Deno.test("a service that others reach needs a token, and its numbers have ranges", () => {
  const cases: readonly (readonly [BuildServiceOptions, string])[] = [
    [{ hostname: "0.0.0.0" }, "set a token"],
    [{ hostname: "::" }, "set a token"],
    [{ hostname: "builder.example.com" }, "set a token"],
    [{ token: "short" }, "16 characters"],
    [{ token: "with spaces in between them" }, "without spaces"],
    [{ port: -1 }, "port"],
    [{ port: 65_536 }, "port"],
    [{ builds: 0 }, "builds"],
    [{ queue: -1 }, "queue"],
    [{ bodyBytes: 0.5 }, "bodyBytes"],
    [{ timeLimit: NaN }, "timeLimit"],
    [{ timeLimit: 2 ** 31 }, "timeLimit"],
    [{ env: { "A=B": "" } }, "variable"],
  ];
  for (const [options, part] of cases) {
    const error = assertThrowsCode(() => new BuildService(options), "options");
    assertStringIncludes(error.message, part);
  }
});

Deno.test("what is no request to build is refused with what it takes", async () => {
  await using service = await buildService();
  const { post, url } = service;
  const options = (value: unknown) => ({ options: JSON.stringify(value), source: PLUGIN });
  const cases: readonly (readonly [() => Promise<Response>, number, string])[] = [
    [() => post({ source: PLUGIN, options: "{" }), 400, "no JSON"],
    [() => post({ source: PLUGIN, options: "[]" }), 400, "JSON object"],
    [() => post(options({ deno: "/bin/sh" })), 400, `no option "deno"`],
    [() => post(options({ env: { LD_PRELOAD: "./evil.so" } })), 400, `no option "env"`],
    [() => post(options({ denortMirror: "http://169.254.169.254/" })), 400, `"denortMirror"`],
    [() => post(options({ cacheDir: "/" })), 400, `no option "cacheDir"`],
    [() => post(options({ dest: "/etc" })), 400, `no option "dest"`],
    [() => post(options({ deps: { a: "/etc" } })), 400, `no option "deps"`],
    [() => post(options({ allowImport: ["example.com"] })), 400, `no option "allowImport"`],
    [() => post(options({ limits: { entries: 1e9 } })), 400, `no option "limits"`],
    [() => post(options({ source: "/etc/passwd" })), 400, "must be a package"],
    [() => post(options({ source: "npm:semver@7.7.2" })), 400, "it has two sources"],
    [() => post(options({ buildArgs: ["--cert=/etc/shadow"] })), 400, "must not name a file"],
    [() => post(options({ name: 7 })), 400, `"name" must be a text`],
    [() => post(options({ permissions: { all: true } })), 400, "there is no such permission"],
    [() => post(options({ main: "../../../etc/passwd" })), 422, "outside of the source"],
    [() => post(options({ scn: 20990101000000, check: false })), 200, ""],
    [() => post({ options: UNCHECKED }), 400, `"source" is missing`],
    [() => post({ source: "a text", options: UNCHECKED }), 400, `"source" is no file`],
    [() => post({ source: PLUGIN, other: PLUGIN }), 400, `the part "other"`],
    [() => post({ source: PLUGIN, options: "x".repeat(1_100_000) }), 400, "larger than 1048576"],
    [() => fetch(new URL("v1/api/build", url), { method: "POST" }), 400, "multipart/form-data"],
    [
      () => fetch(new URL("v1/api/build", url), { method: "POST", body: "{}" }),
      400,
      "multipart/form-data",
    ],
    [() => fetch(new URL("v1/api/build", url)), 405, "POST"],
    [() => fetch(new URL("v1/api/status", url), { method: "DELETE" }), 405, "GET"],
    [() => fetch(new URL("v2", url)), 404, "no such thing"],
  ];
  for (const [request, status, part] of cases) {
    const response = await request();
    assertEquals(response.status, status, part);
    if (status === 200) await response.body?.cancel();
    else assertStringIncludes((await problemOf(response)).detail, part);
  }
  const cut = new Blob([
    "--x\r\ncontent-disposition: form-data; name=source; filename=a.ts\r\n\r\nex",
  ]);
  const headers = { "content-type": "multipart/form-data; boundary=x" };
  const broken = await post({}, { body: cut, headers });
  assertEquals((await problemOf(broken)).status, 400);
  const twice = new FormData();
  for (let index = 0; index < 2; index++) twice.append("source", PLUGIN);
  assertStringIncludes((await problemOf(await post({}, { body: twice }))).detail, "twice");
  const many = new FormData();
  for (let index = 0; index < 70; index++) many.append(`dep:a${index}`, PLUGIN);
  assertStringIncludes((await problemOf(await post({}, { body: many }))).detail, "more than 64");
  await service.idle();
});

Deno.test("a request that is too large is refused, with its size told or not", async () => {
  await using service = await buildService({ bodyBytes: 100_000 });
  const large = new File([new Uint8Array(200_000)], "tax.ts");
  const told = await problemOf(await service.post({ source: large }));
  assertEquals([told.status, told.code], [413, "limit"]);
  assertStringIncludes(told.detail, "100000 bytes");
  let sent = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (sent++ === 400) return controller.close();
      controller.enqueue(new Uint8Array(1000));
    },
  });
  const headers = { "content-type": "multipart/form-data; boundary=x" };
  const response = await service.post({}, { body, headers });
  assertEquals((await problemOf(response)).code, "limit");

  await using fixture = await builderFixture({ "mod.ts": "", "noise.bin": noise(200_000) });
  const options = { source: fixture.source, dest: fixture.dest, remote: service.url };
  const error = await failureOf(build(options));
  assertEquals(error.code, "limit", error.message);
  await service.idle();
});

function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + 65_536)));
  }
  return bytes;
}

/** A request whose body never ends; it holds its place until it is given up. */
function stuckUpload(): { readonly body: ReadableStream<Uint8Array<ArrayBuffer>>; end(): void } {
  let stream: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      stream = controller;
      controller.enqueue(new TextEncoder().encode("--x\r\n"));
    },
  });
  return { body, end: () => stream?.close() };
}

const MULTIPART = { "content-type": "multipart/form-data; boundary=x" };

Deno.test("past the queue the answer is 429, and says when to try again", async () => {
  await using service = await buildService({ builds: 1, queue: 1 });
  const stuck = [stuckUpload(), stuckUpload()];
  const held = stuck.map(({ body }) => service.post({}, { body, headers: MULTIPART }));
  while (service.service.status().active < 2) await new Promise((done) => setTimeout(done, 5));
  const response = await service.post({ source: PLUGIN });
  assertMatch(response.headers.get("retry-after") ?? "", /^\d+$/);
  const told = await problemOf(response);
  assertEquals([told.status, told.code], [429, "busy"]);
  assertEquals((await fetch(new URL("v1/api/status", service.url))).status, 200);
  for (const { end } of stuck) end();
  for (const answer of held) assertEquals((await problemOf(await answer)).status, 400);
  await service.idle();
  const again = await service.post({ options: UNCHECKED, source: PLUGIN });
  assertEquals(again.status, 200);
  await again.body?.cancel();
});

Deno.test("what takes too long is ended, be it the request or the build", async () => {
  await using service = await buildService({ timeLimit: 300 });
  const { body } = stuckUpload();
  const slow = await problemOf(await service.post({}, { body, headers: MULTIPART }));
  assertEquals([slow.status, slow.code], [504, "deadline"]);
  // Types of a package with many of them take longer than that.
  const heavy = new File([`import ts from "npm:typescript@5.9.2"; export const a = ts;`], "a.ts");
  const long = await problemOf(await service.post({ source: heavy }));
  assertEquals([long.status, long.code], [504, "deadline"]);
  assertStringIncludes(long.detail, "300 ms");
  await service.idle();
});

Deno.test({
  name: "a build has a home of its own, and nothing of the environment but how to reach others",
  ignore: Deno.build.os !== "linux",
  async fn() {
    Deno.env.set("HOTPLUG_TEST_SECRET", "the-host-s-secret");
    Deno.env.set("NO_PROXY", "127.0.0.1");
    try {
      await using service = await buildService({ env: { NPM_CONFIG_X: "set by who runs it" } });
      const heavy = new File([`export const one: number = 1;`], "tax.ts");
      const answer = service.post({ source: heavy });
      const seen = await environmentsOf(Deno.pid, service.workDir);
      await (await answer).body?.cancel();
      const [child, inner] = seen;
      const folder = child?.HOME ?? "";
      assertMatch(folder, /[/\\]hotplug-build-[^/\\]+$/);
      for (const variables of seen) {
        assertEquals([variables.HOME, variables.TMPDIR], [folder, folder]);
        assertEquals(variables.NO_PROXY, "127.0.0.1");
        const more = Object.keys(variables).filter((name) => !KNOWN.test(name));
        assertEquals(more.filter((name) => name !== "NPM_CONFIG_X"), []);
        // Deno puts one of its own there where there is none.
        assert(variables.PATH !== Deno.env.get("PATH"));
      }
      assertEquals([child?.NPM_CONFIG_X, inner?.NPM_CONFIG_X], [undefined, "set by who runs it"]);
      assert(child?.DENO_DIR !== inner?.DENO_DIR, "builds see the packages of this user");
    } finally {
      Deno.env.delete("HOTPLUG_TEST_SECRET");
      Deno.env.delete("NO_PROXY");
    }
  },
});

/** What tells how to reach others and whom to trust, and what is of the build itself. */
const KNOWN =
  /^(\w*_PROXY|\w*_proxy|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS|DENO_\w+|HOME|USERPROFILE|TMPDIR|TE?MP|NO_COLOR|RUST_BACKTRACE|PATH)$/;

/** The environments of the first process below this one that serves a build, and of one below that. */
async function environmentsOf(pid: number, folder: string): Promise<Record<string, string>[]> {
  const deadline = performance.now() + 30_000;
  const seen: Record<string, string>[] = [];
  let above = "";
  for (let parent = pid; seen.length < 2;) {
    assert(performance.now() < deadline, "no process of a build was seen");
    await new Promise((resolve) => setTimeout(resolve, 1));
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
      if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) !== parent) continue;
      const text = await Deno.readTextFile(`/proc/${name}/environ`).catch(() => "");
      // Between fork and exec a process still has the environment of its parent.
      if (!text.includes(`HOME=${folder}`) || text === above) continue;
      above = text;
      seen.push(Object.fromEntries(
        text.split("\0").filter(Boolean).map((line) => {
          const at = line.indexOf("=");
          return [line.slice(0, at), line.slice(at + 1)];
        }),
      ));
      parent = Number(name);
      break;
    }
  }
  return seen;
}

Deno.test("a client that goes away cancels its build, while it runs, waits or is sent", async () => {
  await using service = await buildService({ builds: 1 });
  await using fixture = await builderFixture({ "tax.ts": "export const one: number = 1;" });
  const options = { source: join(fixture.source, "tax.ts"), dest: fixture.dest };
  const controllers = [new AbortController(), new AbortController(), new AbortController()];
  const builds = controllers.map(({ signal }) =>
    failureOf(build({ ...options, remote: service.url, signal }))
  );
  // One runs, and the others wait for it.
  while (service.service.status().waiting < 2) await new Promise((done) => setTimeout(done, 5));
  for (const controller of controllers) controller.abort();
  for (const error of await Promise.all(builds)) assertEquals(error.code, "cancelled");
  await service.idle();
  assertEquals(service.service.status().counts, {
    built: 0,
    failed: 0,
    cancelled: 3,
    refused: 0,
  });
  assertEquals(await fixture.list(), []);
  assertEquals((await build({ ...options, check: false, remote: service.url })).name, "tax");
});

Deno.test("close() lets builds end that are under way, ends those that don't, and may be called twice", async () => {
  await using service = await buildService({ drainTime: 30_000 });
  const answer = service.post({ options: UNCHECKED, source: PLUGIN });
  while (service.service.status().active < 1) await new Promise((done) => setTimeout(done, 5));
  const closing = service.service.close();
  assertEquals(service.service.close(), closing);
  const response = await answer;
  assertEquals(response.status, 200);
  await response.arrayBuffer();
  await closing;
  assertEquals(service.service.status().status, "closing");
  assertEquals(service.events.map(({ type }) => type), ["listening", "built", "closed"]);
  // Its port is free again.
  const port = Number(service.url.port);
  await using next = await buildService({ port, drainTime: 50 });
  const { body } = stuckUpload();
  const stuck = next.post({}, { body, headers: MULTIPART });
  while (next.service.status().active < 1) await new Promise((done) => setTimeout(done, 5));
  await Promise.all([
    next.service.close(),
    stuck.then(async (response) => assertEquals((await problemOf(response)).code, "closed")),
  ]);
});

Deno.test("a service that can't listen says where and what to do; one that is closed never starts", async () => {
  await using service = await buildService();
  const second = new BuildService({ port: Number(service.url.port) });
  const error = await assertCode(second.start(), "listen");
  assertStringIncludes(error.message, "choose another port");
  await second.close();
  const closed = new BuildService({ port: 0 });
  await closed.close();
  await assertCode(closed.start(), "closed");
});
