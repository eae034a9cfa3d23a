import { assert, assertEquals, assertMatch } from "@std/assert";
import { type ControlFixture, startControl } from "./_control.ts";
import { publish } from "./_daemon.ts";

const [FIRST, SECOND, THIRD] = [20240101000000, 20240101000001, 20240101000002] as const;
const SOURCE = `
  export const answer = () => 1;
  export const fail = () => { throw new Error("no such luck"); };
`;

/** The samples, by name and labels as they are written. */
async function samples(at: ControlFixture): Promise<Map<string, number>> {
  const response = await at.ask("GET", "/metrics");
  assertMatch(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split("\n").filter((line) => line && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const [, key = "", value] = /^(\w+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    assert(key, line);
    return [key, Number(value)];
  }));
}

Deno.test("metrics count loads, failures, skips, swaps and calls, and tell how all stands", async () => {
  await using at = await startControl({}, { retention: { count: 1 } });
  const { daemon } = at.fixture;
  const call = async (symbol: string) =>
    await daemon.manager.current("pricing")?.call(symbol).catch(() => {});
  await publish(at.plugins, SOURCE, { scn: FIRST });
  await at.fixture.loaded("pricing", FIRST);
  for (const symbol of ["answer", "answer", "fail"]) await call(symbol);
  await publish(at.plugins, "export const answer = (;", { scn: SECOND });
  await at.fixture.failed("syntax", SECOND);
  await publish(at.plugins, SOURCE, { scn: THIRD });
  await at.fixture.loaded("pricing", THIRD);
  await at.fixture.events.next(({ type }) => type === "retired");
  for (const symbol of ["answer", "fail"]) await call(symbol);
  using _lease = daemon.manager.acquire("pricing");
  await publish(at.plugins, "export const a = 1;", {
    name: "tax",
    scn: FIRST,
    version: "99.0.0",
  });
  await at.fixture.events.next(({ type }) => type === "skipped");
  await daemon.scan();
  const scans = [daemon.status().scans.count];
  const now = await samples(at);
  scans.push(daemon.status().scans.count);
  const expected: Record<string, number> = {
    'hotplug_loads_total{plugin="pricing"}': 2,
    'hotplug_failures_total{code="syntax"}': 1,
    'hotplug_skips_total{code="runtime"}': 1,
    "hotplug_swap_seconds_count": 2,
    'hotplug_swap_seconds_bucket{le="+Inf"}': 2,
    // Those of the generation that is gone, too.
    'hotplug_calls_total{plugin="pricing"}': 5,
    'hotplug_call_errors_total{plugin="pricing"}': 2,
    'hotplug_generations{plugin="pricing",state="current"}': 1,
    'hotplug_leases{plugin="pricing"}': 1,
    [`hotplug_watch{directory="${at.plugins}",mode="events",state="watching"}`]: 1,
    "hotplug_ready": 1,
    "hotplug_pending": 0,
    "hotplug_quarantined": 0,
  };
  for (const [key, value] of Object.entries(expected)) assertEquals(now.get(key), value, key);
  const [least = 1, most = 0] = scans;
  const scanned = now.get("hotplug_scans_total") ?? 0;
  assert(least > 0 && scanned >= least && scanned <= most, `${scanned} of ${least} to ${most}`);
  assert((now.get("process_resident_memory_bytes") ?? 0) > 10e6);
  assert((now.get("hotplug_heap_used_bytes") ?? 0) > 1e6);
  await call("answer");
  await daemon.rollback("pricing").catch(() => {});
  const later = await samples(at);
  assertEquals(later.get('hotplug_calls_total{plugin="pricing"}'), 6);
  assert((later.get("hotplug_scans_total") ?? 0) >= (now.get("hotplug_scans_total") ?? 0));
});

Deno.test("metrics tell of rollbacks, crashes and restarts", async () => {
  await using at = await startControl({}, { tier: "process" });
  const { daemon } = at.fixture;
  const source = "export const pid = () => Deno.pid; export const end = () => Deno.exit(3);";
  await publish(at.plugins, source, { scn: FIRST });
  await at.fixture.loaded("pricing", FIRST);
  await publish(at.plugins, source, { scn: SECOND });
  await at.fixture.loaded("pricing", SECOND);
  await daemon.rollback("pricing");
  await daemon.manager.current("pricing")?.call("end").catch(() => {});
  await at.fixture.events.next(({ type }) => type === "restarted");
  const now = await samples(at);
  assertEquals(now.get('hotplug_rollbacks_total{plugin="pricing",automatic="false"}'), 1);
  assertEquals(now.get('hotplug_restarts_total{plugin="pricing"}'), 1);
  assertEquals(now.get('hotplug_failures_total{code="crashed"}'), 1);
  assertEquals(now.get('hotplug_call_errors_total{plugin="pricing"}'), 1);
});

Deno.test("metrics count a call that fails as its generation is retired", async () => {
  for (const tier of ["worker", "process"] as const) {
    await using at = await startControl({}, {
      tier,
      drainDeadline: 1,
      retention: { count: 1 },
    });
    const source = "export const hang = () => new Promise(() => {});";
    await publish(at.plugins, source, { scn: FIRST });
    await at.fixture.loaded("pricing", FIRST);
    const call = at.fixture.daemon.manager.current("pricing")?.call("hang");
    const code = call?.then(() => undefined, (error) => error.code);
    await publish(at.plugins, source, { scn: SECOND });
    await at.fixture.events.next(({ type }) => type === "retired");
    assertEquals(await code, "retired", tier);
    const now = await samples(at);
    assertEquals(now.get('hotplug_calls_total{plugin="pricing"}'), 1, tier);
    assertEquals(now.get('hotplug_call_errors_total{plugin="pricing"}'), 1, tier);
    // Of the plugin; of the generation there is nothing left to ask.
    const plugin = at.fixture.daemon.manager.statusOf("pricing");
    assertEquals([plugin?.calls, plugin?.errors], [1, 1], tier);
    assertEquals(plugin?.generations.map(({ scn, calls }) => [scn, calls]), [[SECOND, 0]], tier);
  }
});

Deno.test("what a plugin changes of all objects, and metrics can't be counted for, ends no daemon", async () => {
  await using at = await startControl();
  await publish(
    at.plugins,
    "Object.prototype.polluted = 1; export const clean = () => delete Object.prototype.polluted;",
  );
  await at.fixture.loaded("pricing");
  const { manager } = at.fixture.daemon;
  await manager.current("pricing")?.call("clean");
  await publish(at.plugins, SOURCE, { name: "other" });
  await at.fixture.loaded("other");
  assertEquals(await manager.current("other")?.call("answer"), 1);
  assertEquals((await samples(at)).get('hotplug_calls_total{plugin="other"}'), 1);
});
