import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PluginManager } from "../manager/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { assertCode } from "./_errors.ts";
import { collectEvents } from "./_events.ts";
import { tempDirectory } from "./_temp.ts";

/** Says by config what its hooks are called with. */
const source = (version: number, more = ""): string =>
  `let log = () => {}; let total = ${version};
   export const activate = ({ config, reason, state, signal }) => {
     log = config ?? log;
     log(\`${version} \${reason} \${state}\`);
   };
   export const deactivate = () => log("${version} deactivate");
   export const handover = () => total;
   export const answer = () => ${version};
   export const fails = () => { throw new Error("no"); };
   ${more}`;

async function open(manager: PluginManager, folder: string, version: number, more?: string) {
  const { path } = await writeArtifact(folder, source(version, more), { scn: SCN + version });
  return await manager.open(path);
}

async function three(folder: string, options?: ConstructorParameters<typeof PluginManager>[0]) {
  const lines: string[] = [];
  const manager = new PluginManager({
    config: { pricing: (line: string) => lines.push(line) },
    ...options,
  });
  for (const version of [1, 2, 3]) await open(manager, folder, version);
  return { manager, lines, [Symbol.asyncDispose]: () => manager.close() };
}

Deno.test("a rollback activates what served before, drains the bad one, and tells of it", async () => {
  await using directory = await tempDirectory();
  await using fixture = await three(directory.path);
  const { manager, lines } = fixture;
  using events = collectEvents(manager);
  const [, two, bad] = manager.generations("pricing");
  lines.length = 0;
  const back = await manager.rollback("pricing", { reason: "wrong prices" });
  assertEquals(back, two);
  assertEquals([back.state, manager.current("pricing")], ["current", back]);
  assertEquals(await manager.use<{ answer(): number }>("pricing").answer(), 2);
  assertEquals(await manager.drained(bad!), true);
  assertEquals(lines, ["2 rollback 3", "3 deactivate"]);
  const [told] = events.of("rolled-back");
  assert(told);
  const { time: _, ...rest } = told;
  assertEquals(rest, {
    type: "rolled-back",
    name: "pricing",
    scn: SCN + 2,
    from: SCN + 3,
    held: SCN + 3,
    reason: "wrong prices",
    automatic: false,
  });
});

Deno.test("a second rollback goes further back, never to one that was rolled back from", async () => {
  await using directory = await tempDirectory();
  await using fixture = await three(directory.path);
  const { manager } = fixture;
  await manager.rollback("pricing");
  assertEquals((await manager.rollback("pricing")).scn, SCN + 1);
  const { message } = await assertCode(manager.rollback("pricing"), "not-found");
  assert(message.endsWith(`name what to go to all the same (to, --to): ${SCN + 2}, ${SCN + 3}`));
  assertEquals(manager.current("pricing")?.scn, SCN + 1);
  await open(manager, directory.path, 4);
  assertEquals((await manager.rollback("pricing")).scn, SCN + 1);
});

Deno.test("nothing up to the bad SCN is loaded until it is released, a newer one is", async () => {
  await using directory = await tempDirectory();
  await using fixture = await three(directory.path);
  const { manager } = fixture;
  using events = collectEvents(manager);
  await manager.rollback("pricing", { to: SCN + 1 });
  for (const version of [2, 3]) await assertCode(open(manager, directory.path, version), "held");
  await assertCode(manager.openNewest(directory.path, "pricing"), "outdated");
  assertEquals(
    events.of("skipped").map(({ code }) => code),
    ["held", "held", "outdated"].slice(0, 2),
  );
  assertEquals(manager.isHeld("pricing", SCN + 3), true);
  assertEquals(manager.isHeld("pricing", SCN + 4), false);
  assertEquals(manager.status()[0]?.held, SCN + 3);
  assertEquals((await open(manager, directory.path, 4)).state, "current");

  await manager.rollback("pricing");
  assertEquals(manager.release("pricing"), true);
  assertEquals(manager.release("pricing"), false);
  assertEquals(events.of("released").length, 1);
  const again = await manager.openNewest(directory.path, "pricing");
  assertEquals([again.scn, await again.call("answer")], [SCN + 4, 4]);
});

Deno.test("a rollback to what is not in memory is refused with what is", async () => {
  await using directory = await tempDirectory();
  await using fixture = await three(directory.path);
  const { manager } = fixture;
  for (const to of [SCN + 3, SCN + 9]) {
    const { message } = await assertCode(manager.rollback("pricing", { to }), "not-found");
    assert(message.includes(`${SCN + 1}, ${SCN + 2}`), message);
  }
  await assertCode(manager.rollback("nothing"), "not-found");
  assertEquals(manager.status().map(({ name }) => name), ["pricing"]);
});

Deno.test("where the older one can't be activated any more, the bad one stays and is not held", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  const once = "export let n = 0; export const health = () => ++n < 2;";
  await open(manager, directory.path, 1, once);
  const bad = await open(manager, directory.path, 2);
  await assertCode(manager.rollback("pricing"), "health");
  assertEquals([manager.current("pricing"), bad.state], [bad, "current"]);
  assertEquals(manager.generations("pricing").map(({ state }) => state), ["parked", "current"]);
  assertEquals(manager.isHeld("pricing", SCN + 2), false);
});

Deno.test("a bad one whose quiesce and handover fail is rolled back from all the same", async () => {
  await using directory = await tempDirectory();
  for (const body of ["throw new Error('no')", "return new Promise(() => {})"]) {
    await using manager = new PluginManager({ hookDeadlines: { quiesce: 20 } });
    await open(manager, directory.path, 1);
    await open(manager, directory.path, 2, `export const quiesce = () => { ${body} };`);
    assertEquals((await manager.rollback("pricing")).scn, SCN + 1);
    assertEquals(await manager.use<{ answer(): number }>("pricing").answer(), 1);
  }
});

Deno.test("an older one that is still held goes on as it is, without a second activation", async () => {
  await using directory = await tempDirectory();
  await using fixture = await three(directory.path);
  const { manager, lines } = fixture;
  await open(
    manager,
    directory.path,
    4,
    "export const resume = () => log('4 resume'); export const quiesce = () => {};",
  );
  const four = manager.current("pricing")!;
  using lease = manager.acquire("pricing");
  await open(manager, directory.path, 5);
  assertEquals(four.state, "superseded");
  lines.length = 0;
  assertEquals(await manager.rollback("pricing"), four);
  assertEquals(four.state, "current");
  assertEquals(lines.includes("4 resume"), true);
  assertEquals(lines.some((line) => line.startsWith("4 rollback")), false);
  assertEquals(await lease.call("answer"), 4);
});

Deno.test("a frozen plugin takes nothing new until it is thawed, and others do", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  using events = collectEvents(manager);
  await open(manager, directory.path, 1);
  manager.freeze("pricing");
  manager.freeze("pricing");
  await assertCode(open(manager, directory.path, 2), "frozen");
  const { path } = await writeArtifact(directory.path, "export {}", { name: "other" });
  await manager.open(path);
  assertEquals(manager.status().map(({ name, frozen }) => [name, frozen]), [
    ["other", false],
    ["pricing", true],
  ]);
  assertEquals(manager.thaw("pricing"), true);
  assertEquals(manager.thaw("pricing"), false);
  assertEquals(manager.thaw("nothing"), false);
  assertEquals((await open(manager, directory.path, 2)).scn, SCN + 2);
  assertEquals(events.all.filter(({ type }) => type === "frozen" || type === "thawed").length, 2);
});

Deno.test("a freeze keeps out what is being loaded, too, and the old one goes on", async () => {
  await using directory = await tempDirectory();
  let activating = (): Promise<void> | void => {};
  await using manager = new PluginManager({ config: { pricing: () => activating() } });
  const waiting = `export const activate = ({ config }) => config();
    export const quiesce = () => {}; export const answer = () => 1;`;
  const write = (scn: number) => writeArtifact(directory.path, waiting, { scn });
  const old = await manager.open((await write(SCN)).path);
  const [begun, ready] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  activating = () => {
    begun.resolve();
    return ready.promise;
  };
  const opening = manager.open((await write(SCN + 1)).path);
  await begun.promise;
  manager.freeze("pricing");
  ready.resolve();
  await assertCode(opening, "frozen");
  assertEquals([manager.current("pricing"), old.state], [old, "current"]);
  assertEquals(await manager.use<{ answer(): number }>("pricing").answer(), 1);
});

Deno.test("a rollback that waited while something newer was loaded leaves that alone, unless told where to", async () => {
  await using directory = await tempDirectory();
  const started = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  const checked = (): Promise<void> => {
    started.resolve();
    return ready.promise;
  };
  await using manager = new PluginManager({ config: { pricing: () => checked } });
  using events = collectEvents(manager);
  for (const version of [1, 2, 3]) await open(manager, directory.path, version);
  const waits = "export const health = () => log()();";
  const opening = open(manager, directory.path, 4, waits);
  await started.promise;
  const rolling = assertCode(manager.rollback("pricing"), "conflict");
  const told = manager.rollback("pricing", { to: SCN + 1 });
  ready.resolve();
  await Promise.all([opening, rolling]);
  assertEquals((await told).scn, SCN + 1);
  assertEquals(events.of("rolled-back").map(({ from }) => from), [SCN + 4]);
});

Deno.test("in its probation a generation whose calls fail too often is taken back by itself, once", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager({ probation: { minCalls: 4, errorRate: 0.5 } });
  using events = collectEvents(manager);
  await open(manager, directory.path, 1);
  await open(manager, directory.path, 2);
  const pricing = manager.use<{ answer(): number; fails(): void }>("pricing");
  await pricing.answer();
  for (let n = 0; n < 2; n++) await pricing.fails().catch(() => {});
  assertEquals(manager.current("pricing")?.scn, SCN + 2);
  for (let n = 0; n < 2; n++) await pricing.fails().catch(() => {});
  const told = await events.next(({ type }) => type === "rolled-back");
  assert(told.type === "rolled-back" && told.automatic);
  assertEquals([told.scn, told.from], [SCN + 1, SCN + 2]);
  assert(told.reason.includes("calls failed"), told.reason);
  assertEquals(await pricing.answer(), 1);
  await assertCode(open(manager, directory.path, 2), "held");
});

Deno.test("off its probation, or with nothing to go back to, a failing generation stays", async () => {
  await using directory = await tempDirectory();
  await using off = new PluginManager();
  await using short = new PluginManager({ probation: { minCalls: 1, window: 1 } });
  await using first = new PluginManager({ probation: { minCalls: 1 } });
  using events = collectEvents(first);
  for (const manager of [off, short]) {
    await open(manager, directory.path, 1);
    await open(manager, directory.path, 2);
  }
  await open(first, directory.path, 1);
  await new Promise((go) => setTimeout(go, 5));
  for (const manager of [off, short, first]) {
    const { scn } = manager.current("pricing")!;
    for (let n = 0; n < 30; n++) await manager.current("pricing")?.call("fails").catch(() => {});
    assertEquals(manager.current("pricing")?.scn, scn);
  }
  await events.next(({ type }) => type === "failed");
  const [{ code, message } = { code: "", message: "" }, ...more] = events.of("failed");
  assertEquals([code, more], ["not-found", []]);
  assertStringIncludes(message, "1 of its first 1 calls failed");
  assertStringIncludes(message, "serves on");
});

Deno.test("status tells of each generation what it is, does, holds and has done", async () => {
  await using directory = await tempDirectory();
  await using fixture = await three(directory.path);
  const { manager } = fixture;
  using _lease = manager.acquire("pricing");
  await manager.current("pricing")?.call("answer");
  await manager.current("pricing")?.call("fails").catch(() => {});
  const [{ name, current, frozen, held, generations }] = manager.status() as [
    ReturnType<PluginManager["status"]>[0],
  ];
  assertEquals([name, current, frozen, held], ["pricing", SCN + 3, false, undefined]);
  assertEquals(generations.map(({ scn, tier, state }) => [scn, tier, state]), [
    [SCN + 1, "inline", "parked"],
    [SCN + 2, "inline", "parked"],
    [SCN + 3, "inline", "current"],
  ]);
  const [, , last] = generations;
  assert(last);
  assertEquals([last.leases, last.calls, last.errors, last.crashes], [1, 2, 1, 0]);
  assertEquals(last.sha256, manager.current("pricing")?.sha256);
  assert(last.bytes > 0);
  assertEquals(new Date(last.since).toISOString(), last.since);
  assertEquals(JSON.parse(JSON.stringify(manager.status())), manager.status());
});

Deno.test("other content with the SCN of what was rolled back from is a conflict, also once released", async () => {
  await using directory = await tempDirectory();
  await using fixture = await three(directory.path);
  const { manager } = fixture;
  using events = collectEvents(manager);
  await manager.rollback("pricing");
  manager.release("pricing");
  const { path } = await writeArtifact(directory.path, source(33), { scn: SCN + 3 });
  await assertCode(manager.open(path), "conflict");
  assertEquals(events.of("conflict").map((each) => each.path), [path]);
  assertEquals(await manager.use<{ answer(): number }>("pricing").answer(), 2);
  await writeArtifact(directory.path, source(3), { scn: SCN + 3 });
  await manager.open(path);
  assertEquals(await manager.use<{ answer(): number }>("pricing").answer(), 3);
});
