import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { HotplugError } from "../artifact/mod.ts";
import { formatStatus } from "../cli/ctl_format.ts";
import { PluginDaemon } from "../daemon/mod.ts";
import { makeDaemon, publish, startDaemon } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

const [FIRST, SECOND] = [20240101000000, 20240101000001] as const;

Deno.test("status says what a daemon watches, has loaded and takes of memory", async () => {
  await using directory = await tempDirectory();
  await publish(directory.path, "export const answer = () => 1;");
  const missing = directory.file("missing");
  await using fixture = makeDaemon([directory.path, missing]);
  const { daemon } = fixture;
  const before = daemon.status();
  assertEquals([before.ready, before.uptimeMs, before.startedAt], [false, 0, undefined]);
  await daemon.start();
  const status = daemon.status();
  assertEquals([status.ready, status.closed, status.logLevel], [true, false, "info"]);
  assertEquals(
    status.watch.map(({ directory, mode, state }) => ({ directory, mode, state })),
    [
      { directory: directory.path, mode: "events", state: "watching" },
      { directory: missing, mode: "polling", state: "missing" },
    ],
  );
  assertEquals(status.plugins.map(({ name, current }) => [name, current]), [["pricing", FIRST]]);
  assert(status.scans.count >= 1 && status.scans.files === 2, Deno.inspect(status.scans));
  assert(status.memory.rss > status.memory.heapUsed && status.memory.heapUsed > 0);
  assertEquals([status.pending, status.quarantine, status.state], [[], [], undefined]);
  await daemon.close();
  assertEquals([daemon.status().ready, daemon.status().closed], [false, true]);
});

Deno.test("status says what is not opened, and why, for as long as it lies there", async () => {
  await using fixture = await startDaemon();
  const { daemon, path } = fixture;
  const newer = await publish(path, "", { scn: FIRST, version: "2.999.0" });
  for (let scan = 0; scan < 2; scan++) await daemon.scan();
  const [skipped, ...more] = daemon.status().skipped;
  assertEquals(more, []);
  const { message, ...rest } = skipped ?? {};
  assertEquals(rest, { name: "pricing", scn: FIRST, path: newer.path, code: "runtime" });
  assertMatch(message ?? "", /upgrade this host's Deno/);
  assertMatch(
    formatStatus(daemon.status()),
    /pricing +20240101000000 +runtime +Not opened "pricing_/,
  );
  // Nobody waits for it any more.
  await publish(path, "export const answer = () => 1;", { scn: SECOND });
  await fixture.loaded("pricing", SECOND);
  await daemon.scan();
  assertEquals(daemon.status().skipped, []);
});

Deno.test("status says what does not load, how often it was tried, and when it is again", async () => {
  await using fixture = await startDaemon({ retryMin: 60_000, retryMax: 60_000 });
  const { daemon, path } = fixture;
  const passing = await publish(path, "throw new Error('not yet');", { scn: FIRST });
  const final = await publish(path, "export const = 1;", { scn: SECOND });
  await fixture.failed("load", FIRST);
  await daemon.scan();
  const { failing } = daemon.status();
  const tried = { name: "pricing", attempts: 1 };
  assertEquals(failing.map(({ retryAt: _, ...rest }) => rest).sort((a, b) => a.scn - b.scn), [
    { ...tried, scn: FIRST, path: passing.path, code: "load" },
    { ...tried, scn: SECOND, path: final.path, code: "syntax" },
  ]);
  const [retryAt, never] = [FIRST, SECOND].map((scn) =>
    failing.find((each) => each.scn === scn)?.retryAt
  );
  assert(Math.abs(Date.parse(retryAt ?? "") - Date.now() - 60_000) < 30_000, retryAt);
  assertEquals(never, undefined);
  assertMatch(
    formatStatus(daemon.status()),
    /pricing +20240101000001 +syntax +1 +with another file/,
  );
  await publish(path, "export const answer = () => 1;", { scn: SECOND + 1 });
  await fixture.loaded("pricing", SECOND + 1);
  await daemon.scan();
  assertEquals(daemon.status().failing, []);
});

Deno.test("status does not say of a version that waits, or has been superseded, that it does not load", async () => {
  await using fixture = await startDaemon();
  const { daemon, path } = fixture;
  await publish(path, "export const answer = () => 1;", { scn: FIRST });
  await fixture.loaded("pricing", FIRST);
  await publish(path, "throw new Error('no');", { scn: SECOND });
  const permissions = { net: true } as const;
  await publish(path, "export const answer = () => 2;", { scn: SECOND + 1, permissions });
  await fixture.failed("load", SECOND);
  await daemon.scan();
  const { failing, pending } = daemon.status();
  assertEquals([failing, pending].map((list) => list.map(({ scn }) => scn)), [
    [SECOND],
    [SECOND + 1],
  ]);
  assertEquals((await daemon.approve("pricing")).scn, SECOND + 1);
  assertEquals(daemon.status().failing, []);
});

Deno.test("what was approved, rolled back and released waits anew, and is told so, however soon that is", async () => {
  await using fixture = await startDaemon({ retryMin: 60_000 });
  const { daemon, path, events } = fixture;
  await publish(path, "export const answer = () => 1;", { scn: FIRST });
  await fixture.loaded("pricing", FIRST);
  const permissions = { net: true } as const;
  await publish(path, "export const answer = () => 2;", { scn: SECOND, permissions });
  await events.next(({ type }) => type === "skipped");
  await daemon.approve("pricing");
  await daemon.rollback("pricing");
  await daemon.release("pricing");
  await daemon.scan();
  assertEquals(daemon.status().pending.map(({ scn }) => scn), [SECOND]);
  const told = events.all.flatMap((event) =>
    event.type === "skipped" ? [event.code] : event.type === "retried" ? [event.outcome] : []
  );
  assertEquals(told, ["approval-required", "loaded", "approval-required"]);
});

Deno.test("a rolled back version stays out until it is released, then it is found again", async () => {
  await using fixture = await startDaemon();
  const { daemon, path, loaded } = fixture;
  await publish(path, "export const answer = () => 1;", { scn: FIRST });
  await loaded("pricing", FIRST);
  await publish(path, "export const answer = () => 2;", { scn: SECOND });
  await loaded("pricing", SECOND);
  assertEquals((await daemon.rollback("pricing")).scn, FIRST);
  await daemon.scan();
  assertEquals(daemon.status().plugins[0]?.held, SECOND);
  assertEquals(daemon.manager.current("pricing")?.scn, FIRST);
  assertEquals([await daemon.release("pricing"), await daemon.release("pricing")], [true, false]);
  await daemon.scan();
  assertEquals(daemon.manager.current("pricing")?.scn, SECOND);
});

Deno.test("a frozen plugin stays as it is, and takes the newest once it is thawed", async () => {
  await using fixture = await startDaemon();
  const { daemon, path, loaded } = fixture;
  await publish(path, "export const answer = () => 1;", { scn: FIRST });
  await loaded("pricing", FIRST);
  await daemon.freeze("pricing");
  await publish(path, "export const answer = () => 2;", { scn: SECOND });
  await daemon.scan();
  assertEquals(daemon.status().plugins[0]?.frozen, true);
  assertEquals(daemon.manager.current("pricing")?.scn, FIRST);
  assertEquals([await daemon.thaw("pricing"), await daemon.thaw("pricing")], [true, false]);
  await loaded("pricing", SECOND);
});

Deno.test("approve opens what waits for it, and refuses what does not", async () => {
  await using fixture = await startDaemon({ approve: "all" });
  const { daemon, path, events } = fixture;
  await publish(path, "export const answer = () => 1;", { permissions: { net: ["a.example"] } });
  await events.next(({ type }) => type === "skipped");
  assertEquals(daemon.status().pending.map(({ scn }) => scn), [FIRST]);
  assertEquals(daemon.status().failing, []);
  assertEquals((await daemon.approve("pricing")).scn, FIRST);
  const error = await assertRejects(() => daemon.approve("pricing"), HotplugError);
  assertEquals(error.code, "not-found");
});

Deno.test("the log level can be changed, to one that there is", async () => {
  await using daemon = new PluginDaemon({ watch: ["."], logLevel: "warning" });
  assertEquals(daemon.logLevel, "warning");
  daemon.setLogLevel("debug");
  assertEquals(daemon.status().logLevel, "debug");
  const error = assertThrows(() => daemon.setLogLevel("loud" as "debug"), HotplugError);
  assertEquals(error.code, "options");
});
