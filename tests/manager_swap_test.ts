import { assert, assertEquals, assertMatch } from "@std/assert";
import { scnFromDate, scnToDate } from "../artifact/mod.ts";
import { PluginManager } from "../manager/mod.ts";
import { type ArtifactInit, SCN, writeArtifact } from "./_artifacts.ts";
import { assertCode } from "./_errors.ts";
import { collectEvents } from "./_events.ts";
import { tempDirectory } from "./_temp.ts";

/** What hooks call to say that they were called; given as the plugin's config. */
type Log = (line: string) => void;

/** A plugin that logs all its hooks, and may be made to fail at one. */
function hooked(version: number, overrides: Record<string, string> = {}): string {
  const bodies: Record<string, string> = {
    activate:
      "log = context.config; note(`activate ${context.reason} ${JSON.stringify(context.state)}`); " +
      "context.signal.addEventListener('abort', () => note('aborted'));",
    health: "note('health');",
    quiesce: "note('quiesce');",
    handover: "note('handover'); return { from: version };",
    resume: "note('resume');",
    deactivate: "note('deactivate');",
    ...overrides,
  };
  const hooks = Object.entries(bodies).map(([name, body]) =>
    `export async function ${name}(context) { ${body} }`
  );
  return `const version = ${version};
    let log = () => {};
    const note = (what) => log(version + " " + what);
    export const answer = () => version;
    ${hooks.join("\n")}`;
}

async function write(folder: string, version: number, source: string, init: ArtifactInit = {}) {
  const scn = scnFromDate(new Date(scnToDate(SCN).getTime() + version * 1000));
  return (await writeArtifact(folder, source, { scn, ...init })).path;
}

/** A manager whose plugin logs into `lines`. */
function logged(options: ConstructorParameters<typeof PluginManager>[0] = {}) {
  const lines: string[] = [];
  const log: Log = (line) => void lines.push(line);
  const manager = new PluginManager({ config: { pricing: log }, ...options });
  return {
    manager,
    lines,
    [Symbol.asyncDispose]: () => manager.close(),
  };
}

Deno.test("a swap calls quiesce, handover, activate, health, and after the drain deactivate, in that order", async () => {
  await using directory = await tempDirectory();
  await using fixture = logged();
  const { manager, lines } = fixture;
  await manager.open(await write(directory.path, 1, hooked(1)));
  assertEquals(lines.splice(0), ["1 activate load undefined", "1 health"]);
  const lease = manager.acquire("pricing");
  await manager.open(await write(directory.path, 2, hooked(2)));
  assertEquals(lines.splice(0), [
    "1 quiesce",
    "1 handover",
    '2 activate load {"from":1}',
    "2 health",
  ]);
  assertEquals(await lease.call("answer"), 1);
  const drained = manager.drained(lease.generation);
  lease[Symbol.dispose]();
  assertEquals(await drained, true);
  assertEquals(lines.splice(0), ["1 aborted", "1 deactivate"]);
  await manager.close();
  assertEquals(lines, ["2 aborted", "2 deactivate"]);
});

Deno.test("a generation goes from current by superseded and drained to parked, and still answers", async () => {
  await using directory = await tempDirectory();
  const gate = Promise.withResolvers<void>();
  const config = { pricing: gate.promise };
  await using manager = new PluginManager({ config });
  using events = collectEvents(manager);
  const slow = `let gate; export const activate = ({ config }) => { gate = config; };
    export const deactivate = () => gate; export const answer = () => 1;`;
  const old = await manager.open(await write(directory.path, 1, slow));
  assertEquals(old.state, "current");
  const lease = manager.acquire("pricing");
  await manager.open(await write(directory.path, 2, "export const answer = () => 2;"));
  assertEquals(old.state, "superseded");
  lease[Symbol.dispose]();
  assertEquals(old.state, "drained");
  gate.resolve();
  const parked = await events.next(({ type }) => type === "parked");
  assert(parked.type === "parked");
  assertEquals([parked.name, parked.scn, parked.forced], ["pricing", SCN + 1, false]);
  assertEquals(old.state, "parked");
  assertEquals(await old.call("answer"), 1);
  assertEquals(manager.generations("pricing").map(({ scn }) => scn), [SCN + 1, SCN + 2]);
});

const failures: Record<
  string,
  [code: "activation" | "health", overrides: Record<string, string>, lines: string[]]
> = {
  "activate throws": ["activation", { activate: "throw new Error('no');" }, []],
  "activate hangs": ["activation", { activate: "await new Promise(() => {});" }, []],
  "health throws": ["health", { health: "throw new Error('no');" }, [
    "2 aborted",
    "2 deactivate",
  ]],
  "health answers false": ["health", { health: "return false;" }, ["2 aborted", "2 deactivate"]],
  "health hangs": ["health", { health: "await new Promise(() => {});" }, [
    "2 aborted",
    "2 deactivate",
  ]],
};

for (const [what, [code, overrides, after]] of Object.entries(failures)) {
  Deno.test(`where ${what}, the new one goes as it came, the old one resumes and serves, and one event tells it`, async () => {
    await using directory = await tempDirectory();
    await using fixture = logged({ activateDeadline: 50, hookDeadlines: { health: 50 } });
    const { manager, lines } = fixture;
    const old = await manager.open(await write(directory.path, 1, hooked(1)));
    const bad = await write(directory.path, 2, hooked(2, overrides));
    using events = collectEvents(manager);
    lines.length = 0;
    const error = await assertCode(manager.open(bad), code);
    assertMatch(error.message, /plugin "pricing" \(SCN 20240101000002\)/);
    const activated = code === "health" ? ['2 activate load {"from":1}'] : [];
    assertEquals(lines.filter((line) => line !== "2 health"), [
      "1 quiesce",
      "1 handover",
      ...activated,
      ...after,
      "1 resume",
    ]);
    assertEquals(events.all.map((each) => [each.type, "code" in each && each.code]), [
      ["failed", code],
    ]);
    assertEquals([old.state, manager.current("pricing") === old], ["current", true]);
    assertEquals(await manager.use<{ answer(): number }>("pricing").answer(), 1);
  });
}

const oldFailures: Record<
  string,
  [code: "quiesce" | "handover", overrides: Record<string, string>]
> = {
  "quiesce throws": ["quiesce", { quiesce: "throw new Error('no');" }],
  "quiesce hangs": ["quiesce", { quiesce: "await new Promise(() => {});" }],
  "handover throws": ["handover", { handover: "throw new Error('no');" }],
  "handover hangs": ["handover", { handover: "await new Promise(() => {});" }],
  "handover gives what can't be copied": ["handover", { handover: "return () => {};" }],
};

for (const [what, [code, overrides]] of Object.entries(oldFailures)) {
  Deno.test(`where the old one's ${what}, it stays, and can be superseded without being asked`, async () => {
    await using directory = await tempDirectory();
    const hookDeadlines = { quiesce: 50, handover: 50 };
    await using fixture = logged({ hookDeadlines });
    const { manager, lines } = fixture;
    const old = await manager.open(await write(directory.path, 1, hooked(1, overrides)));
    const next = await write(directory.path, 2, hooked(2));
    await assertCode(manager.open(next), code);
    assertEquals(manager.current("pricing"), old);
    assertEquals(lines.at(-1), "1 resume");
    assertEquals(await manager.use<{ answer(): number }>("pricing").answer(), 1);
    lines.length = 0;
    await manager.open(next, { handover: false });
    assertEquals(lines.slice(0, 2), ["2 activate load undefined", "2 health"]);
  });
}

Deno.test("calls by a handle wait from quiesce to flip, and go to the new generation; a lease's go on", async () => {
  await using directory = await tempDirectory();
  const ready = Promise.withResolvers<void>();
  await using manager = new PluginManager({ config: { pricing: ready.promise } });
  await manager.open(
    await write(
      directory.path,
      1,
      "export const quiesce = () => {}; export const answer = () => 1;",
    ),
  );
  const slow = "export const activate = ({ config }) => config; export const answer = () => 2;";
  const pricing = manager.use<{ answer(): number }>("pricing");
  using lease = manager.acquire("pricing");
  const opening = manager.open(await write(directory.path, 2, slow));
  // As long as it takes until the calls wait.
  let waiting: Promise<number>;
  for (;;) {
    waiting = pricing.answer();
    const answer = await Promise.race([waiting, new Promise((go) => setTimeout(go, 20, "waits"))]);
    if (answer as unknown === "waits") break;
    assertEquals(answer, 1);
    await new Promise((go) => setTimeout(go, 0));
  }
  assertEquals(await lease.call("answer"), 1);
  ready.resolve();
  assertEquals(await waiting, 2);
  await opening;
});

Deno.test("without quiesce calls by a handle run on the old generation until the flip", async () => {
  await using directory = await tempDirectory();
  const [begun, ready] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await using manager = new PluginManager({
    config: {
      pricing: () => {
        begun.resolve();
        return ready.promise;
      },
    },
  });
  await manager.open(await write(directory.path, 1, "export const answer = () => 1;"));
  const slow = "export const activate = ({ config }) => config(); export const answer = () => 2;";
  const pricing = manager.use<{ answer(): number }>("pricing");
  const opening = manager.open(await write(directory.path, 2, slow));
  await begun.promise;
  assertEquals(await pricing.answer(), 1);
  ready.resolve();
  await opening;
  assertEquals(await pricing.answer(), 2);
});

Deno.test("past the drain deadline a held generation is deactivated all the same, and its lease still answers", async () => {
  await using directory = await tempDirectory();
  await using fixture = logged({ drainDeadline: 20 });
  const { manager, lines } = fixture;
  using events = collectEvents(manager);
  const old = await manager.open(await write(directory.path, 1, hooked(1)));
  using lease = manager.acquire("pricing");
  await manager.open(await write(directory.path, 2, hooked(2)));
  assertEquals(await manager.drained(old), false);
  const parked = await events.next(({ type }) => type === "parked");
  assert(parked.type === "parked" && parked.forced && parked.durationMs >= 15);
  assertEquals(lines.slice(-2), ["1 aborted", "1 deactivate"]);
  assertEquals(await lease.call("answer"), 1);
});

Deno.test("what fails when an old generation is deactivated is an event, and parks it all the same", async () => {
  await using directory = await tempDirectory();
  for (const body of ["throw new Error('no');", "await new Promise(() => {});"]) {
    await using manager = new PluginManager({ hookDeadlines: { deactivate: 30 } });
    using events = collectEvents(manager);
    const source = `export const deactivate = async () => { ${body} };`;
    const old = await manager.open(await write(directory.path, 1, source));
    await manager.open(await write(directory.path, 2, "export {}"));
    await events.next(({ type }) => type === "parked");
    assertEquals(old.state, "parked");
    assertEquals(events.of("failed").map(({ code, scn }) => [code, scn]), [[
      "deactivation",
      SCN + 1,
    ]]);
  }
});

Deno.test("what handover answers comes to activate as a copy", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  const holding = `export const state = { at: new Date(0), seen: new Map([["a", 1n]]) };
    export const handover = () => state;`;
  const old = await manager.open(await write(directory.path, 1, holding));
  const taking =
    "export let state; export const activate = (context) => { state = context.state; };";
  const next = await manager.open(await write(directory.path, 2, taking));
  assertEquals(next.lookup("state"), old.lookup("state"));
  assert(next.lookup("state") !== old.lookup("state"));
});

Deno.test("a manager that closes in the middle of a swap deactivates what it had activated", async () => {
  await using directory = await tempDirectory();
  const lines: string[] = [];
  const begun = Promise.withResolvers<void>();
  const config = { pricing: (line: string) => (lines.push(line), begun.resolve()) };
  const manager = new PluginManager({ config });
  await manager.open(await write(directory.path, 1, hooked(1)));
  const hanging = hooked(2, { health: "note('health'); await new Promise(() => {});" });
  const opening = manager.open(await write(directory.path, 2, hanging));
  opening.catch(() => {});
  while (!lines.includes("2 health")) await new Promise((go) => setTimeout(go, 1));
  await manager.close();
  await assertCode(opening, "closed");
  assertEquals(lines.slice(-5), [
    "2 aborted",
    "2 deactivate",
    "1 resume",
    "1 aborted",
    "1 deactivate",
  ]);
});
