import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Validator } from "@seriousme/openapi-schema-validator";
import { join } from "@std/path";
import { formatState, NO_RECORD } from "../daemon/state/state_record.ts";
import { type ControlFixture, readEvents, startControl, unixClient } from "./_control.ts";
import { publish } from "./_daemon.ts";
import { documentChecker } from "./_openapi.ts";

const [FIRST, SECOND, THIRD] = [20240101000000, 20240101000001, 20240101000002] as const;

const SOURCE = `
  export const answer = (value) => ({ value });
  export const fail = () => { throw new Error("no such luck"); };
  export const circle = () => { const it = {}; it.it = it; return it; };
  export const nothing = () => {};
  export const hang = () => new Promise(() => {});
  export async function* count() { yield 1; }
`;

async function started(): Promise<ControlFixture> {
  const at = await startControl(
    { allowInvoke: true, bodyBytes: 10_000 },
    { approve: "more" },
    async (state) => {
      await Deno.mkdir(state, { mode: 0o700 });
      const bad = { scn: FIRST, path: "bad.mjs", reason: "it ended the process", since };
      const records = new Map([["bad", { ...NO_RECORD, quarantine: [bad] }]]);
      await Deno.writeTextFile(join(state, "state.json"), formatState(records));
    },
  );
  await publish(at.plugins, SOURCE, { scn: FIRST });
  await at.fixture.loaded("pricing", FIRST);
  await publish(at.plugins, SOURCE, { scn: SECOND });
  await at.fixture.loaded("pricing", SECOND);
  await publish(at.plugins, SOURCE, { scn: THIRD, permissions: { net: ["example.com"] } });
  await at.fixture.events.next((event) =>
    event.type === "skipped" && event.code === "approval-required"
  );
  return at;
}

const since = new Date(0).toISOString();

type Case = readonly [status: number, method: string, path: string, body?: unknown];

/** In this order: each finds what those before it left. */
const CASES: readonly Case[] = [
  [200, "GET", "/livez"],
  [200, "GET", "/readyz"],
  [200, "GET", "/metrics"],
  [200, "GET", "/v1/status"],
  [200, "GET", "/v1/plugins"],
  [200, "GET", "/v1/plugins/pricing"],
  [404, "GET", "/v1/plugins/nothing"],
  [400, "GET", "/v1/plugins/..%2fpricing"],
  [200, "GET", "/v1/events?last=100&follow=false"],
  [400, "GET", "/v1/events?last=many"],
  [400, "GET", "/v1/events?first=1"],
  [200, "POST", "/v1/rescan"],
  [200, "POST", "/v1/rescan", {}],
  [400, "POST", "/v1/rescan", { now: true }],
  [200, "GET", "/v1/quarantine"],
  [404, "DELETE", `/v1/quarantine/bad/${SECOND}`],
  [400, "DELETE", "/v1/quarantine/bad/now"],
  [200, "DELETE", `/v1/quarantine/bad/${FIRST}`],
  [404, "DELETE", `/v1/quarantine/bad/${FIRST}`],
  [200, "GET", "/v1/log-level"],
  [200, "PUT", "/v1/log-level", { level: "error" }],
  [400, "PUT", "/v1/log-level", { level: "loud" }],
  [400, "PUT", "/v1/log-level"],
  [200, "POST", "/v1/plugins/pricing/invoke", { symbol: "answer", args: [{ a: [1] }] }],
  [200, "POST", "/v1/plugins/pricing/invoke", { symbol: "nothing" }],
  [502, "POST", "/v1/plugins/pricing/invoke", { symbol: "fail" }],
  [504, "POST", "/v1/plugins/pricing/invoke", { symbol: "hang", deadline: 20 }],
  [422, "POST", "/v1/plugins/pricing/invoke", { symbol: "circle" }],
  [422, "POST", "/v1/plugins/pricing/invoke", { symbol: "count" }],
  [404, "POST", "/v1/plugins/pricing/invoke", { symbol: "none" }],
  [404, "POST", "/v1/plugins/nothing/invoke", { symbol: "answer" }],
  [400, "POST", "/v1/plugins/pricing/invoke", { symbol: 1 }],
  [413, "POST", "/v1/plugins/pricing/invoke", { symbol: "x", args: ["y".repeat(10_000)] }],
  [200, "POST", "/v1/plugins/pricing/rollback", { reason: "a test" }],
  [404, "POST", "/v1/plugins/pricing/rollback"],
  [404, "POST", "/v1/plugins/nothing/rollback"],
  [400, "POST", "/v1/plugins/pricing/rollback", { to: 1 }],
  [200, "POST", "/v1/plugins/pricing/freeze"],
  [200, "POST", "/v1/plugins/pricing/thaw"],
  [200, "POST", "/v1/plugins/pricing/release"],
  [409, "POST", "/v1/plugins/pricing/approve", { scn: THIRD, sha256: "0".repeat(64) }],
  [400, "POST", "/v1/plugins/pricing/approve", { sha256: "0" }],
  [400, "POST", `/v1/plugins/pricing/approve?sha256=${"0".repeat(64)}`],
  [400, "POST", "/v1/rescan?now", {}],
  [200, "POST", "/v1/plugins/pricing/approve", { scn: THIRD }],
  [404, "POST", "/v1/plugins/pricing/approve"],
  [400, "POST", "/v1/plugins/_/freeze"],
];

Deno.test("what it answers is what its OpenAPI document says, for each operation", async () => {
  await using at = await started();
  const document = await at.json("GET", "/v1/openapi.json") as Record<string, unknown>;
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  assert(valid, Deno.inspect(errors));
  assertEquals(document.openapi, "3.1.0");
  const checker = documentChecker(document);
  const done = new Set<string>();
  for (const [status, method, path, body] of CASES) {
    const response = await at.ask(method, path, { body });
    assertEquals(response.status, status, `${method} ${path}: ${await response.clone().text()}`);
    await checker.check(method, path, response);
    if (response.ok) done.add(`${method.toLowerCase()} ${path.replace(/\?.*/, "")}`);
  }
  for (const { id, method, path } of checker.operations) {
    const pattern = new RegExp(`^${method} ${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
    assert([...done].some((each) => pattern.test(each)), `${id} was never done`);
  }
});

Deno.test("each event that it streams is one that its document names", async () => {
  await using at = await started();
  const checker = documentChecker(
    await at.json("GET", "/v1/openapi.json") as Record<string, unknown>,
  );
  await using events = readEvents(await at.ask("GET", "/v1/events?last=1000&follow=false"));
  const all = await events.rest();
  assertEquals(all.map(({ data }) => data), JSON.parse(JSON.stringify(at.fixture.events.all)));
  for (const { type, data } of all) {
    checker.checkComponent("Event", data);
    assertEquals(data.type, type);
  }
});

Deno.test("what is done by it is done to the daemon", async () => {
  await using at = await started();
  const { daemon } = at.fixture;
  const current = () => daemon.manager.current("pricing")?.scn;
  const act = async (what: string, body: unknown = {}) =>
    await at.json("POST", `/v1/plugins/pricing/${what}`, body) as {
      readonly changed: boolean;
      readonly known: boolean;
      readonly plugin: { readonly current: number; readonly held?: number; frozen: boolean };
    };
  assertEquals(current(), SECOND);
  const back = await act("rollback", { reason: "wrong totals" });
  assertEquals([back.plugin.current, back.plugin.held, current()], [FIRST, SECOND, FIRST]);
  const [told] = at.fixture.events.of("rolled-back");
  assertEquals(told?.reason, "wrong totals");
  assertEquals((await act("freeze")).plugin.frozen, true);
  assertEquals((await act("freeze")).changed, false);
  assertEquals([(await act("thaw")).changed, (await act("thaw")).changed], [true, false]);
  assertEquals([(await act("release")).changed, (await act("release")).changed], [true, false]);
  assertEquals((await act("approve")).known, true);
  assertEquals(current(), THIRD);
  const other = await at.json("POST", "/v1/plugins/other/freeze", {}) as Record<string, unknown>;
  assertEquals([other.changed, other.known], [true, false]);
  await at.json("PUT", "/v1/log-level", { level: "error" });
  assertEquals(daemon.logLevel, "error");
  const invoked = await at.json("POST", "/v1/plugins/pricing/invoke", {
    symbol: "answer",
    args: ["a"],
  });
  assertEquals(invoked, { scn: THIRD, result: { value: "a" } });
});

Deno.test("a rescan answers once what it found is loaded", async () => {
  await using at = await startControl({}, { poll: 60_000 });
  await publish(at.plugins, SOURCE, { scn: FIRST });
  const status = await at.json("POST", "/v1/rescan") as { readonly plugins: readonly unknown[] };
  assertEquals(status.plugins.length, 1);
});

Deno.test("what there is not, and other methods, are told as problems", async () => {
  await using at = await startControl();
  for (
    const [status, method, path] of [
      [404, "GET", "/"],
      [404, "GET", "/v1"],
      [404, "GET", "/v1/plugins/"],
      [404, "GET", "/v1/status/x"],
      [404, "GET", "/v1/../livez2"],
      [404, "BREW", "/v1/coffee"],
      [405, "POST", "/v1/status"],
      [405, "DELETE", "/v1/plugins/pricing"],
      [405, "GET", "/v1/rescan"],
      [405, "POST", "/v1/openapi.json"],
      [405, "BREW", "/livez"],
    ] as const
  ) {
    const response = await at.ask(method, path);
    assertEquals(response.status, status, `${method} ${path}`);
    assertEquals(response.headers.get("content-type"), "application/problem+json");
    const problem = await response.json();
    assertEquals([problem.type, problem.status], ["about:blank", status]);
    if (status === 405) assert(response.headers.get("allow"), path);
  }
});

Deno.test("a body must be JSON, say so, be in UTF-8, and come in time", async () => {
  await using patient = await startControl();
  await using hasty = await startControl({ bodyTime: 50 });
  const put = async (body: BodyInit, type = "application/json", { place } = patient) => {
    using client = unixClient(place);
    const answer = await fetch("http://localhost/v1/log-level", {
      method: "PUT",
      headers: { "content-type": type },
      body,
      client,
    });
    return [answer.status, (await answer.json()).code];
  };
  assertEquals(await put(`{"level":"error"}`), [200, undefined]);
  assertEquals(await put(`{"level":"error"}`, "application/json; charset=utf-8"), [200, undefined]);
  assertEquals(await put(`{"level":"error"}`, "text/plain"), [415, "options"]);
  assertEquals(await put("{"), [400, "options"]);
  assertEquals(await put("null"), [400, "options"]);
  assertEquals(await put(new Uint8Array([0x22, 0xff, 0x22])), [400, "options"]);
  let sending: ReadableStreamDefaultController<Uint8Array> | undefined;
  const slow = new ReadableStream<Uint8Array>({
    start: (controller) => {
      sending = controller;
      controller.enqueue(new TextEncoder().encode("{"));
    },
  });
  assertEquals(await put(slow, undefined, hasty), [408, "deadline"]);
  try {
    sending?.close();
  } catch { /* the answer came first */ }
});

Deno.test("a body that is a list does nothing, though it is empty", async () => {
  await using control = await startControl();
  using client = unixClient(control.place);
  for (const what of ["freeze", "rollback"]) {
    const answer = await fetch(`http://localhost/v1/plugins/pricing/${what}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "[]",
      client,
    });
    assertEquals([answer.status, (await answer.json()).code], [400, "options"], what);
  }
  const answer = await fetch("http://localhost/v1/plugins/pricing", { client });
  assertEquals((await answer.json()).frozen ?? false, false);
});

Deno.test("readyz is ready after the first scan, and not while it closes; livez always is", async () => {
  const at = await startControl();
  await using _at = at;
  const answers = async () =>
    await Promise.all(["/livez", "/readyz"].map(async (path) => {
      const response = await at.ask("GET", path);
      await response.text();
      return response.status;
    }));
  assertEquals(await answers(), [200, 200]);
  await at.fixture.daemon.close();
  assertEquals(await answers(), [200, 503]);
  const late = await at.ask("POST", "/v1/rescan");
  assertEquals([late.status, (await late.json()).code], [503, "closed"]);
});

Deno.test("many ask at the same time, and each gets its own answer", async () => {
  await using at = await startControl({ allowInvoke: true });
  await publish(at.plugins, SOURCE, { scn: FIRST });
  await at.fixture.loaded("pricing");
  const results = await Promise.all(Array.from({ length: 200 }, async (_, value) => {
    const body = { symbol: "answer", args: [value] };
    return await at.json("POST", "/v1/plugins/pricing/invoke", body);
  }));
  assertEquals(
    results,
    Array.from({ length: 200 }, (_, value) => ({ scn: FIRST, result: { value } })),
  );
  const { generations: [only] } = await at.json("GET", "/v1/plugins/pricing") as {
    readonly generations: readonly { readonly calls: number; readonly leases: number }[];
  };
  assertEquals([only?.calls, only?.leases], [200, 0]);
});

Deno.test("calls are off unless they are allowed", async () => {
  await using at = await startControl();
  await publish(at.plugins, SOURCE, { scn: FIRST });
  await at.fixture.loaded("pricing");
  const response = await at.ask("POST", "/v1/plugins/pricing/invoke", {
    body: { symbol: "answer" },
  });
  const { code, detail } = await response.json();
  assertEquals([response.status, code], [403, "forbidden"]);
  assertStringIncludes(detail, "--allow-invoke");
});
