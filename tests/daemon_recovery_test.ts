import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { DaemonState } from "../daemon/state/daemon_state.ts";
import { makeDaemon, makeHang, publish, within } from "./_daemon.ts";
import { beginLoading, type StatePlace, statePlace } from "./_state_place.ts";

const [FIRST, SECOND] = [20240101000000, 20240101000001] as const;

function answers(value: number): string {
  return `export const answer = () => ${value};`;
}

Deno.test("what is suspect takes no place of something newer that came meanwhile", async () => {
  await using at = await statePlace();
  const { path } = await publish(at.plugins, answers(1), { scn: FIRST });
  {
    await using _before = await at.start();
  }
  // It was killed while it reopened what was current.
  await beginLoading(at.state, path, FIRST);
  await publish(at.plugins, answers(2), { scn: SECOND });
  await using after = await at.start();
  assertEquals(after.events.of("suspected").map(({ scn }) => scn), [FIRST]);
  assertEquals(after.events.of("loaded").map(({ scn }) => scn), [SECOND]);
});

Deno.test("a load that is found in the journal again, or twice, is one and no second in a row", async () => {
  await using at = await statePlace();
  const { path } = await publish(at.plugins, answers(1), { scn: FIRST });
  await Deno.mkdir(at.state, { mode: 0o700 });
  await beginLoading(at.state, path, FIRST);
  const journal = join(at.state, "journal");
  const text = (await Deno.readTextFile(journal)).replaceAll("\0", "");
  await Deno.writeTextFile(journal, text + text);
  const told: string[] = [];
  // It is killed once it has written down what is suspect, and before it has cleared the journal.
  await (await DaemonState.open(at.state, ({ type }) => void told.push(type))).close();
  await Deno.writeTextFile(journal, text);
  assertEquals(told, ["suspected"]);

  await using after = await at.start();
  assertEquals([after.events.of("suspected"), after.events.of("quarantined")], [[], []]);
  assertEquals(after.events.of("loaded").map(({ scn }) => scn), [FIRST]);
});

Deno.test("what was current before stays suspect until it has loaded, or is kept no more", async () => {
  await using at = await statePlace();
  const { path } = await publish(at.plugins, answers(1), { scn: FIRST });
  {
    await using before = await at.start();
    await publish(at.plugins, answers(2), { scn: SECOND });
    await before.loaded("pricing", SECOND);
  }
  for await (const { name } of Deno.readDir(at.plugins)) await Deno.remove(join(at.plugins, name));
  // It was killed while it reopened that, since what was current could not be.
  await beginLoading(at.state, path, FIRST);
  {
    await using after = await at.start();
    assertEquals(after.events.of("suspected").map(({ scn }) => scn), [FIRST]);
    assertEquals(after.events.of("loaded").map(({ scn }) => scn), [SECOND]);
  }
  const record = async (): Promise<Record<string, unknown[]>> =>
    JSON.parse(await Deno.readTextFile(join(at.state, "state.json"))).plugins[0];
  const { suspects, current, previous } = await record();
  assertEquals([suspects?.length, current, previous].map(scnOf), [1, SECOND, FIRST]);
  // Found loading once more, though what is current was back between.
  await beginLoading(at.state, path, FIRST);
  {
    await using again = await at.start();
    assertEquals(again.daemon.quarantine().map(({ scn }) => scn), [FIRST]);
  }
});

function scnOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && "scn" in value ? value.scn : value;
}

Deno.test("what is suspect is not reopened beside what is on trial", async () => {
  await using at = await statePlace();
  const { path } = await publish(at.plugins, answers(1), { scn: FIRST });
  const probation = { window: 60_000 };
  {
    await using before = await at.start({ probation });
    await publish(at.plugins, answers(2), { scn: SECOND });
    await before.loaded("pricing", SECOND);
  }
  await beginLoading(at.state, path, FIRST);
  for (let start = 0; start < 3; start++) {
    await using after = await at.start({ probation });
    assertEquals(after.events.of("loaded").map(({ scn }) => scn), [SECOND]);
  }
});

Deno.test("what was refused before it ran is as suspect as before", async () => {
  await using at = await statePlace();
  await publish(at.plugins, answers(1), { scn: FIRST });
  await (await at.start()).daemon.close();
  const { path } = await publish(at.plugins, answers(2), {
    scn: SECOND,
    permissions: { net: true },
  });
  // It was approved, and ended the process.
  await beginLoading(at.state, path, SECOND);
  for (const told of [[SECOND], []]) {
    await using after = await at.start();
    assertEquals(after.events.of("suspected").map(({ scn }) => scn), told);
    assertEquals(after.daemon.status().pending.map(({ scn }) => scn), [SECOND]);
  }
  await beginLoading(at.state, path, SECOND);
  await using last = await at.start();
  assertEquals(last.daemon.quarantine().map(({ scn }) => scn), [SECOND]);
});

Deno.test("what is at its trial when a daemon is closed is tried so at the next start too", async () => {
  await using at = await statePlace();
  const entered = join(at.plugins, "entered");
  const source = `Deno.writeTextFileSync(${JSON.stringify(entered)}, ""); while (true);`;
  const { path } = await publish(at.plugins, source, { scn: SECOND });
  await Deno.mkdir(at.state, { mode: 0o700 });
  await beginLoading(at.state, path, SECOND);
  {
    await using first = makeDaemon([at.plugins], { state: at.state });
    const watcher = Deno.watchFs(at.plugins);
    const started = first.daemon.start();
    for await (const { paths } of watcher) if (paths.includes(entered)) break;
    await first.daemon.close();
    await started;
  }
  // In the daemon's own process this would never end.
  await using second = await at.start({ loadDeadline: 500, retryMin: 60_000 });
  assertEquals((await second.failed("deadline", SECOND)).scn, SECOND);
});

Deno.test("what is thawed while a daemon starts is looked for", async () => {
  await using at = await statePlace();
  await publish(at.plugins, answers(1), { scn: FIRST });
  {
    await using before = await at.start();
    await before.daemon.freeze("pricing");
  }
  await publish(at.plugins, answers(2), { scn: SECOND });
  await using hang = makeHang();
  await publish(at.plugins, hang.source, { name: "slow", scn: FIRST });
  await using fixture = makeDaemon([at.plugins], { state: at.state });
  const started = fixture.daemon.start();
  await hang.entered;
  assertEquals(fixture.daemon.status().ready, false);
  await fixture.daemon.thaw("pricing");
  await fixture.loaded("pricing", SECOND);
  await hang[Symbol.asyncDispose]();
  await started;
});

Deno.test("what is frozen while a daemon starts stays, and nothing suspect takes its place", async () => {
  await using at = await statePlace();
  await publish(at.plugins, answers(1), { scn: FIRST });
  await (await at.start()).daemon.close();
  const { path } = await publish(at.plugins, answers(2), { scn: SECOND });
  await (await at.start()).daemon.close();
  await beginLoading(at.state, path, SECOND);
  await using hang = makeHang();
  await publish(at.plugins, hang.source, { name: "slow", scn: FIRST });
  {
    await using fixture = makeDaemon([at.plugins], { state: at.state });
    const started = fixture.daemon.start();
    await hang.entered;
    await fixture.loaded("pricing", FIRST);
    await fixture.daemon.freeze("pricing");
    await hang[Symbol.asyncDispose]();
    await started;
    assertEquals(fixture.daemon.manager.current("pricing")?.scn, FIRST);
  }
  await using after = await at.start();
  assertEquals(after.daemon.manager.current("pricing")?.scn, FIRST);
  await after.daemon.thaw("pricing");
  await after.loaded("pricing", SECOND);
});

Deno.test("what is suspect is tried where it is what a plugin is frozen at", async () => {
  await using at = await statePlace();
  await publish(at.plugins, answers(1), { scn: FIRST });
  await (await at.start()).daemon.close();
  const { path } = await publish(at.plugins, answers(2), { scn: SECOND });
  {
    await using before = await at.start();
    await before.daemon.freeze("pricing");
  }
  await beginLoading(at.state, path, SECOND);
  await using after = await at.start();
  assertEquals(after.daemon.manager.current("pricing")?.scn, SECOND);
});

Deno.test("what hangs as it is reopened once more holds up no other plugin, nor the end", async () => {
  await using at = await statePlace();
  const key = "reopeningOfTests";
  const holder = globalThis as Record<string, unknown>;
  const entered = Promise.withResolvers<void>();
  const tries = [
    () => {},
    () => Promise.reject(new Error("not now")),
    () => (entered.resolve(), new Promise(() => {})),
  ];
  holder[key] = () => tries.shift()?.();
  const source = `export const activate = () => globalThis.${key}();`;
  const { path, infoPath } = await publish(at.plugins, source, { scn: FIRST });
  await (await at.start()).daemon.close();
  await Deno.remove(path);
  await Deno.remove(infoPath);
  await using after = await at.start({ scanInterval: 100, activateDeadline: 60_000 });
  await entered.promise;
  await publish(at.plugins, answers(1), { name: "tax", scn: FIRST });
  await after.loaded("tax");
  await within(10_000, "closing", after.daemon.close());
  delete holder[key];
});

/** Starts a daemon after one that had loaded a bad version over a good one, and has that fail. */
async function failAfterRestart(age: number): Promise<[served: number | undefined, told: number]> {
  await using at = await statePlace();
  const options = { probation: { window: 60_000, minCalls: 2 } };
  await publish(at.plugins, answers(1), { scn: FIRST });
  {
    await using before = await at.start(options);
    await publish(at.plugins, "export const answer = () => { throw new Error('bad'); };", {
      scn: SECOND,
    });
    await before.loaded("pricing", SECOND);
  }
  const store = join(at.state, "store");
  const then = new Date(Date.now() - age);
  for (const { name } of Deno.readDirSync(store)) {
    for (const { name: file } of Deno.readDirSync(join(store, name))) {
      await Deno.utime(join(store, name, file), then, then);
    }
  }
  await using after = await at.start(options);
  const { manager } = after.daemon;
  assertEquals(manager.current("pricing")?.scn, SECOND);
  const answer = manager.use<{ answer(): number }>("pricing").answer;
  for (let call = 0; call < 2; call++) await assertRejects(() => answer(), Error, "bad");
  // What is to be told of that is told before a later load is.
  await publish(at.plugins, answers(3), { name: "later" });
  await after.loaded("later");
  const told = ["rolled-back", "failed"] as const;
  return [manager.current("pricing")?.scn, told.flatMap((type) => after.events.of(type)).length];
}

Deno.test("a version that was under probation as the process ended is taken back after a restart, too", async () => {
  assertEquals(await failAfterRestart(0), [FIRST, 1]);
});

Deno.test("a version whose probation was over is not taken back after a restart", async () => {
  assertEquals(await failAfterRestart(120_000), [SECOND, 0]);
});

const ON_TRIAL = { probation: { window: 60_000 } };

/** Leaves a state folder in which the second version is under probation, and no artifact beside it. */
async function leaveOnTrial(
  { plugins, start }: StatePlace,
  ...[first, second]: readonly [first: string, second: string]
): Promise<void> {
  await publish(plugins, first, { scn: FIRST });
  await using before = await start(ON_TRIAL);
  await publish(plugins, second, { scn: SECOND });
  await before.loaded("pricing", SECOND);
  for await (const { name } of Deno.readDir(plugins)) await Deno.remove(join(plugins, name));
}

Deno.test("what was under probation is reopened, though what served before can't hand over again", async () => {
  await using at = await statePlace();
  const ledger = `${at.state}.ledger`;
  await Deno.writeTextFile(ledger, "");
  const first = `${answers(1)}
    export const handover = () => Deno.readTextFileSync(${JSON.stringify(ledger)});`;
  await leaveOnTrial(at, first, answers(2));
  await Deno.remove(ledger);
  await using after = await at.start(ON_TRIAL);
  assertEquals(after.daemon.manager.current("pricing")?.scn, SECOND);
  assertEquals((await after.daemon.rollback("pricing")).scn, FIRST);
});

Deno.test("what is closed before it has reopened what was under probation reopens that the next time", async () => {
  await using at = await statePlace();
  const key = `trial-${crypto.randomUUID()}`;
  const holder = globalThis as Record<string, unknown>;
  const second = `${answers(2)}
    export const activate = () => globalThis[${JSON.stringify(key)}]?.();`;
  await leaveOnTrial(at, answers(1), second);
  {
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    await using closed = makeDaemon([at.plugins], { state: at.state, ...ON_TRIAL });
    holder[key] = () => {
      reach();
      return new Promise(() => {});
    };
    const started = closed.daemon.start().catch(() => {});
    await reached;
    await closed.daemon.close();
    await started;
  }
  delete holder[key];
  await using after = await at.start(ON_TRIAL);
  assertEquals(after.daemon.manager.current("pricing")?.scn, SECOND);
});

Deno.test("what is rolled back from after a restart is let go, though it can't hand over", async () => {
  await using at = await statePlace();
  const second = `${answers(2)}
    export const handover = () => { throw new Error("too broken for that"); };`;
  await leaveOnTrial(at, answers(1), second);
  await using after = await at.start();
  assertEquals((await after.daemon.rollback("pricing")).scn, FIRST);
});

Deno.test("what was rolled back from is not reopened, though what serves since can't be", async () => {
  await using at = await statePlace();
  await leaveOnTrial(at, answers(1), answers(2));
  {
    await using before = await at.start();
    assertEquals((await before.daemon.rollback("pricing")).scn, FIRST);
  }
  const store = join(at.state, "store");
  for (const { name } of Deno.readDirSync(store)) {
    if (name.includes(`@${FIRST}-`)) await Deno.remove(join(store, name), { recursive: true });
  }
  await using after = await at.start();
  assertEquals(after.daemon.manager.current("pricing"), undefined);
});
