import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { HotplugError } from "../artifact/mod.ts";
import { LoadJournal } from "../daemon/state/load_journal.ts";
import type { DaemonFixture } from "./_daemon.ts";
import { makeDaemon, publish } from "./_daemon.ts";
import { beginLoading, type StatePlace, statePlace } from "./_state_place.ts";

const [FIRST, SECOND] = [20240101000000, 20240101000001] as const;
const GATE = "standInTestGate";
const holder = globalThis as unknown as Record<string, unknown>;

function answers(value: number): string {
  return `export const answer = () => ${value};`;
}

/** Its `activate` throws as long as the gate is shut. */
const GATED = `${answers(2)}
  export const activate = () => { if (globalThis.${GATE}?.()) throw new Error("not now"); };`;

/** Shuts the gate; answers with what resolves once so many have been refused. */
function shut(refusals = 1): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  holder[GATE] = () => {
    if (--refusals === 0) resolve();
    return true;
  };
  return promise;
}

function open(): void {
  delete holder[GATE];
}

/** Leaves a state of two versions, the second of this source, and no artifact in the folder. */
async function leaveTwo({ plugins, start }: StatePlace, second: string): Promise<string> {
  await publish(plugins, answers(1), { scn: FIRST });
  await using before = await start();
  const { path } = await publish(plugins, second, { scn: SECOND });
  await before.loaded("pricing", SECOND);
  await before.daemon.close();
  for (const { name } of Deno.readDirSync(plugins)) Deno.removeSync(join(plugins, name));
  return path;
}

async function recordOf({ state }: StatePlace): Promise<{ current?: number; previous?: number }> {
  const { plugins: [record] } = JSON.parse(await Deno.readTextFile(join(state, "state.json")));
  return { current: record.current?.scn, previous: record.previous?.scn };
}

function told({ events }: DaemonFixture, code: string): number[] {
  return events.of("failed").filter((each) => each.code === code).map(({ scn }) => scn ?? 0);
}

Deno.test("what could not be reopened takes its place back from what stood in for it", async () => {
  await using at = await statePlace();
  await leaveTwo(at, GATED);
  shut();
  {
    await using after = await at.start({ retryMin: 60_000, retryMax: 60_000 });
    assertEquals(after.daemon.manager.current("pricing")?.scn, FIRST);
    const [failing] = after.daemon.status().failing;
    assertEquals([failing?.scn, failing?.code, failing?.attempts], [SECOND, "activation", 1]);
    assertEquals(after.events.of("state"), []);
  }
  assertEquals(await recordOf(at), { current: SECOND, previous: FIRST });
  {
    const refused = shut(5);
    // Of the same failure nothing more is told, until it is over.
    await using again = await at.start({ retryMin: 10, retryMax: 10 });
    await refused;
    assert((again.daemon.status().failing[0]?.attempts ?? 0) > 1);
    assertEquals(told(again, "activation"), [SECOND]);
    open();
    const { outcome, code } = await again.retried(SECOND);
    assertEquals([outcome, code], ["loaded", "activation"]);
    assertEquals(again.daemon.manager.current("pricing")?.scn, SECOND);
    assertEquals(again.daemon.status().failing, []);
  }
  assertEquals(await recordOf(at), { current: SECOND, previous: FIRST });
});

Deno.test("what could not be reopened once is reopened at the next start", async () => {
  await using at = await statePlace();
  await leaveTwo(at, GATED);
  shut();
  await (await at.start({ retryMin: 60_000 })).daemon.close();
  open();
  await using after = await at.start();
  assertEquals(after.events.of("loaded").map(({ scn }) => scn), [SECOND]);
});

Deno.test("what stands in, and is frozen, is left alone; what a plugin is frozen at takes its place back", async () => {
  await using at = await statePlace();
  await leaveTwo(at, GATED);
  shut();
  {
    await using after = await at.start({ retryMin: 10, retryMax: 10 });
    await after.daemon.freeze("pricing");
    open();
    await after.daemon.scan();
    assertEquals(after.daemon.manager.current("pricing")?.scn, FIRST);
    await after.daemon.thaw("pricing");
    await after.loaded("pricing", SECOND);
    await after.daemon.freeze("pricing");
  }
  shut();
  await using last = await at.start({ retryMin: 10, retryMax: 10 });
  assertEquals(last.daemon.manager.current("pricing")?.scn, FIRST);
  open();
  await last.loaded("pricing", SECOND);
});

Deno.test("what was frozen over a restart at what stands in gives its place back once it is thawed", async () => {
  await using at = await statePlace();
  const path = await leaveTwo(at, GATED);
  shut();
  {
    await using after = await at.start({ retryMin: 60_000 });
    await after.daemon.freeze("pricing");
  }
  open();
  {
    await using again = await at.start({ retryMin: 60_000 });
    assertEquals(again.daemon.manager.current("pricing")?.scn, FIRST);
    await again.daemon.thaw("pricing");
    await again.loaded("pricing", SECOND);
    assertEquals(again.events.of("retried"), []);
    await again.daemon.freeze("pricing");
  }
  // Frozen at it, thawed while something stands in, and frozen at that.
  shut();
  await using last = await at.start({ retryMin: 60_000 });
  await last.daemon.thaw("pricing");
  await last.daemon.freeze("pricing");
  open();
  await last.daemon.scan();
  assertEquals(last.daemon.manager.current("pricing")?.scn, FIRST);
  await last.daemon.thaw("pricing");
  await last.loaded("pricing", SECOND);
  assert(!await exists(path));
});

Deno.test("what is let out of quarantine while its plugin is frozen is back once that is thawed", async () => {
  await using at = await statePlace();
  await leaveTwo(at, answers(2));
  await editRecord(at, (record) => ({
    ...record,
    quarantine: [{ scn: SECOND, path: "/x", reason: "it crashed", since: "2024-01-01T00:00:00Z" }],
  }));
  await using after = await at.start();
  assertEquals(after.daemon.manager.current("pricing")?.scn, FIRST);
  await after.daemon.freeze("pricing");
  await after.daemon.releaseQuarantine("pricing", SECOND);
  await after.daemon.scan();
  assertEquals(after.daemon.manager.current("pricing")?.scn, FIRST);
  await after.daemon.thaw("pricing");
  await after.loaded("pricing", SECOND);
});

Deno.test("of what is tried in its folder too one end is told", async () => {
  await using at = await statePlace();
  await leaveTwo(at, GATED);
  await publish(at.plugins, GATED, { scn: SECOND });
  shut();
  await using after = await at.start({ retryMin: 20, retryMax: 20 });
  await after.failed("activation");
  open();
  await after.loaded("pricing", SECOND);
  await after.daemon.scan();
  assertEquals(after.events.of("retried").map(({ outcome }) => outcome), ["loaded"]);
});

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("what is let out of quarantine takes its place back from what stood in for it", async () => {
  await using at = await statePlace();
  const path = await leaveTwo(at, answers(2));
  for (let kill = 0; kill < 2; kill++) {
    await beginLoading(at.state, path, SECOND);
    if (kill === 0) await suspectOnly(at);
  }
  await using after = await at.start();
  assertEquals(after.daemon.manager.current("pricing")?.scn, FIRST);
  assertEquals(after.daemon.quarantine().map(({ scn }) => scn), [SECOND]);
  await after.daemon.releaseQuarantine("pricing", SECOND);
  await after.loaded("pricing", SECOND);
});

Deno.test("what is suspect and was current is kept to go back to, when something newer comes before it was tried", async () => {
  await using at = await statePlace();
  const path = await leaveTwo(at, answers(2));
  await beginLoading(at.state, path, SECOND);
  await publish(at.plugins, answers(3), { scn: SECOND + 1 });
  {
    await using after = await at.start();
    assertEquals(after.daemon.manager.current("pricing")?.scn, SECOND + 1);
  }
  assertEquals(await recordOf(at), { current: SECOND + 1, previous: SECOND });
  await using last = await at.start();
  assertEquals((await last.daemon.rollback("pricing")).scn, SECOND);
});

Deno.test("nothing goes back to a version in quarantine, and a start that has nothing else says so", async () => {
  await using at = await statePlace();
  await leaveTwo(at, answers(2));
  await editRecord(at, (record) => ({
    ...record,
    quarantine: [{ scn: FIRST, path: "/x", reason: "it crashed", since: "2024-01-01T00:00:00Z" }],
  }));
  {
    await using after = await at.start();
    const error = await assertRejects(() => after.daemon.rollback("pricing"), HotplugError);
    assertEquals([error.code, after.daemon.manager.current("pricing")?.scn], [
      "quarantined",
      SECOND,
    ]);
    assertStringIncludes(error.message, `back to SCN ${FIRST}: it is in quarantine`);
  }
  await editRecord(at, ({ quarantine: [one], ...record }) => ({
    ...record,
    quarantine: [one, { ...one as object, scn: SECOND }],
  }));
  await using last = await at.start();
  assertEquals(last.daemon.manager.names(), []);
  const [event] = last.events.of("state");
  assertEquals(event?.state, "not-reopened");
  assertStringIncludes(event?.message ?? "", "in quarantine; let it out");
  await last.daemon.releaseQuarantine("pricing", SECOND);
  await last.loaded("pricing", SECOND);
});

Deno.test("where neither of two can be reopened, a start says which one is yet to be tried", async () => {
  for (const [lost, suspect] of [[SECOND, FIRST], [FIRST, SECOND]] as const) {
    await using at = await statePlace();
    const path = await leaveTwo(at, answers(2));
    await beginLoading(at.state, path.replace(`${SECOND}`, `${suspect}`), suspect);
    const store = join(at.state, "store");
    for (const { name } of Deno.readDirSync(store)) {
      if (name.includes(`${lost}`)) await Deno.remove(join(store, name), { recursive: true });
    }
    await using after = await at.start();
    await after.loaded("pricing", suspect);
    const [event] = after.events.of("state").filter(({ state }) => state === "not-reopened");
    const which = lost === SECOND ? "which" : `and SCN ${lost}`;
    assertStringIncludes(
      event?.message ?? "",
      `was at SCN ${SECOND}, ${which} can't be reopened (io); SCN ${suspect} is tried once more`,
    );
  }
});

/** Begins and ends as far as judging what had been loading. */
async function suspectOnly({ state }: StatePlace): Promise<void> {
  const { DaemonState } = await import("../daemon/state/daemon_state.ts");
  await (await DaemonState.open(state, () => {})).close();
}

async function editRecord(
  { state }: StatePlace,
  edit: (record: Record<string, unknown> & { quarantine: unknown[] }) => unknown,
): Promise<void> {
  const path = join(state, "state.json");
  const { format, plugins: [record] } = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify({ format, plugins: [edit(record)] }));
}

const QUARANTINED = { path: "/x", reason: "it crashed", since: "2024-01-01T00:00:00Z" };

Deno.test("a plugin that is frozen at what stands in goes on to nothing newer, though that can't be reopened", async () => {
  await using at = await statePlace();
  await leaveTwo(at, answers(2));
  await editRecord(at, ({ current, previous, ...record }) => ({
    ...record,
    frozen: true,
    current: previous,
    previous: current,
    quarantine: [{ ...QUARANTINED, scn: FIRST }],
  }));
  await using after = await at.start();
  assertEquals(after.daemon.manager.names(), []);
  await after.daemon.releaseQuarantine("pricing", FIRST);
  await after.loaded("pricing", FIRST);
  await after.daemon.thaw("pricing");
  await after.loaded("pricing", SECOND);
});

Deno.test("what is frozen, and let out of quarantine, takes its place back while its plugin is frozen", async () => {
  await using at = await statePlace();
  await leaveTwo(at, answers(2));
  await editRecord(at, (record) => ({
    ...record,
    frozen: true,
    quarantine: [{ ...QUARANTINED, scn: SECOND }],
  }));
  await using after = await at.start();
  assertEquals(after.daemon.manager.current("pricing")?.scn, FIRST);
  await after.daemon.releaseQuarantine("pricing", SECOND);
  await after.loaded("pricing", SECOND);
});

Deno.test("of two versions in quarantine the older one that is let out is loaded", async () => {
  await using at = await statePlace();
  await leaveTwo(at, answers(2));
  await editRecord(at, (record) => ({
    ...record,
    quarantine: [FIRST, SECOND].map((scn) => ({ ...QUARANTINED, scn })),
  }));
  await using after = await at.start();
  await after.daemon.releaseQuarantine("pricing", FIRST);
  await after.loaded("pricing", FIRST);
  await after.daemon.releaseQuarantine("pricing", SECOND);
  await after.loaded("pricing", SECOND);
});

Deno.test("what is newer does not drive out a good version for one in quarantine", async () => {
  await using at = await statePlace();
  await leaveTwo(at, answers(2));
  await editRecord(at, (record) => ({
    ...record,
    quarantine: [{ ...QUARANTINED, scn: SECOND }],
    suspects: [{ scn: FIRST, path: "/x" }],
  }));
  await publish(at.plugins, answers(3), { scn: SECOND + 1 });
  {
    await using after = await at.start();
    assertEquals(after.daemon.manager.current("pricing")?.scn, SECOND + 1);
    assertEquals((await after.daemon.rollback("pricing")).scn, FIRST);
  }
  assertEquals((await recordOf(at)).current, FIRST);
});

Deno.test("after a release nothing older than what serves is loaded, in the next process neither", async () => {
  await using at = await statePlace();
  const [good, bad] = [FIRST + 4, FIRST + 8];
  {
    await using before = await at.start();
    for (const [scn, source] of [[FIRST, answers(1)], [good, GATED], [bad, answers(3)]] as const) {
      await publish(at.plugins, source, { scn });
      await before.loaded("pricing", scn);
    }
    await before.daemon.rollback("pricing");
    for (const { name } of Deno.readDirSync(at.plugins)) Deno.removeSync(join(at.plugins, name));
    await before.daemon.release("pricing");
  }
  shut();
  await publish(at.plugins, answers(9), { scn: FIRST + 2 });
  await using after = await at.start({ retryMin: 10 });
  assertEquals(after.daemon.manager.current("pricing")?.scn, FIRST);
  open();
  await after.loaded("pricing", good);
  assertEquals(after.events.of("loaded").map(({ scn }) => scn), [FIRST, good]);
});

Deno.test("what proved to be good is not taken back for what stood in for it", async () => {
  await using at = await statePlace();
  const fails = `export const answer = () => { throw new Error("bad"); };
    export const activate = () => { if (globalThis.${GATE}?.()) throw new Error("not now"); };`;
  await leaveTwo(at, fails);
  const then = new Date(Date.now() - 120_000);
  for (const { name } of Deno.readDirSync(join(at.state, "store"))) {
    for (const { name: file } of Deno.readDirSync(join(at.state, "store", name))) {
      await Deno.utime(join(at.state, "store", name, file), then, then);
    }
  }
  // Nor where it was found loading.
  await beginLoading(at.state, join(at.plugins, "x"), SECOND);
  shut();
  await using after = await at.start({ retryMin: 10, probation: { minCalls: 2 } });
  open();
  await after.loaded("pricing", SECOND);
  const { manager } = after.daemon;
  for (let n = 0; n < 4; n++) await manager.current("pricing")?.call("answer").catch(() => {});
  assertEquals([manager.current("pricing")?.scn, after.events.of("rolled-back")], [SECOND, []]);
});

Deno.test("what fails at its trial is tried once, and keeps none of the others waiting", async () => {
  await using at = await statePlace();
  await publish(at.plugins, answers(1), { scn: FIRST });
  const { path } = await publish(at.plugins, GATED, { scn: SECOND });
  const others = ["a", "b", "c"];
  for (const name of others) await publish(at.plugins, answers(1), { name, scn: FIRST });
  await (await at.start()).daemon.close();
  await beginLoading(at.state, path, SECOND);
  await editRecords(at, (record) => ({
    ...record,
    suspects: [{ scn: record.name === "pricing" ? SECOND : FIRST, path: "/x" }],
  }));
  shut();
  await using after = await at.start({ retryMin: 1 });
  open();
  const seen = after.events.of("failed").filter(({ name }) => name === "pricing");
  assert(seen.length <= 1, Deno.inspect(seen));
  assertEquals(
    others.map((name) => after.daemon.manager.current(name)?.scn),
    others.map(() => FIRST),
  );
});

async function editRecords(
  { state }: StatePlace,
  edit: (record: Record<string, unknown>) => unknown,
): Promise<void> {
  const path = join(state, "state.json");
  const { format, plugins } = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify({ format, plugins: plugins.map(edit) }));
}

Deno.test("what could not be reopened waits for no trial of others, and a stop begins none", async () => {
  await using at = await statePlace();
  await leaveTwo(at, GATED);
  // Both were loading: the first one hangs at its trial, the other one is not to be tried any more.
  const { journal } = LoadJournal.open(at.state);
  for (const name of ["first", "second"]) {
    const source = "await new Promise((resolve) => setTimeout(resolve, 1_000_000));";
    const { path } = await publish(at.plugins, source, { name, scn: FIRST });
    await journal.begin({ name, scn: FIRST, path });
  }
  await journal.close();
  shut();
  await using fixture = makeDaemon([at.plugins], { state: at.state, retryMin: 10 });
  const started = fixture.daemon.start();
  await fixture.failed("activation", SECOND);
  open();
  await fixture.loaded("pricing", SECOND);
  assertEquals(fixture.daemon.status().ready, false);
  await fixture.daemon.close({ drain: 100 });
  await started;
  const tried = fixture.events.all.filter((each) => "name" in each && each.name === "second");
  assertEquals(tried.map(({ type }) => type), ["suspected"]);
});
