import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type ErrorCode, nextScn, parseScn } from "../artifact/mod.ts";
import {
  type Generation,
  isRetryable,
  type ManagerOptions,
  PluginManager,
} from "../manager/mod.ts";
import { assertCode } from "./_errors.ts";
import { collectEvents } from "./_events.ts";
import { executableFixture, executableTest, onlyArtifact } from "./_executable.ts";
import { tierFixture } from "./_tiers.ts";

/** Deadlines that let the tests of what never ends come to their end. */
const QUICK: ManagerOptions = {
  loadDeadline: 3_000,
  activateDeadline: 1_000,
  callDeadline: 1_000,
  heapLimit: 64,
};

/**
 * As good as endless: longer than all that is waited for. Nothing ends a busy thread but itself, and a
 * truly endless one would take its share of the processor from all tests after it.
 */
const BUSY = "for (const end = Date.now() + 20_000; Date.now() < end;);";

/** What goes wrong while it is loaded, and what its error says, in which tiers. */
const AT_LOAD: readonly {
  readonly name: string;
  readonly source: string;
  readonly code: ErrorCode;
  readonly says: string;
  readonly not?: readonly string[];
}[] = [
  {
    name: "an endless loop at the top level",
    source: BUSY,
    code: "deadline",
    says: "did not end within 3000 ms",
  },
  {
    name: "Deno.exit at the top level",
    source: "Deno.exit(7);",
    code: "crashed",
    says: "code 7",
  },
  {
    name: "process.exit at the top level",
    source: 'import process from "node:process"; process.exit(8);',
    code: "crashed",
    says: "code 8",
  },
  {
    name: "an await that never settles",
    source: "await new Promise(() => {});",
    code: "deadline",
    says: "did not end within 3000 ms",
  },
  {
    name: "a syntax error",
    source: "export const = 1;",
    code: "syntax",
    says: "",
  },
  {
    name: "a throw in activate",
    source: 'export function activate() { throw new Error("out of order"); }',
    code: "activation",
    says: "out of order",
  },
  {
    name: "an activate that hangs",
    source: "export function activate() { return new Promise(() => {}); }",
    code: "activation",
    says: "did not end within 1000 ms",
  },
  {
    name: "an activate that never returns",
    source: `export function activate() { ${BUSY} }`,
    code: "activation",
    says: "did not end within 1000 ms",
  },
  {
    name: "a memory bomb at the top level",
    source: "const all = []; for (;;) all.push(new Array(1e5).fill(Math.random()));",
    code: "crashed",
    says: "out of memory",
    // There the collector tries for longer than the deadline lasts.
    not: ["worker"],
  },
  {
    name: "a process that kills itself",
    source: 'Deno.kill(Deno.pid, "SIGKILL");',
    code: "crashed",
    says: "",
    not: ["worker"],
  },
];

for (const tier of ["process", "worker"] as const) {
  for (const { name, source, code, says, not } of AT_LOAD) {
    if (not?.includes(tier)) continue;
    Deno.test(`${name} is contained, ${tier}`, async () => {
      await using fixture = await tierFixture({ ...QUICK, tier });
      const good = await fixture.open("export const one = () => 1;");
      const error = await assertCode(fixture.open(source), code);
      assertStringIncludes(error.message, says);
      assertStringIncludes(error.message, "pricing");
      assertEquals(await good.call("one"), 1);
    });
  }
}

/** What a plugin does when it is called, and what becomes of the call. */
const PLUGIN = `
import fs from "node:fs";
import process from "node:process";
export function loop() { ${BUSY} }
export function bomb() { const all = []; for (;;) all.push(new Array(1e5).fill(Math.random())); }
export function kill() { Deno.kill(Deno.pid, "SIGKILL"); }
export function killNode() { process.kill(process.pid, "SIGKILL"); }
export function exit() { Deno.exit(3); }
export function raw() { fs.writeSync(1, "not a frame"); return new Promise(() => {}); }
export function large() { fs.writeSync(1, new Uint8Array(1000).fill(255)); return new Promise(() => {}); }
export function late() { setTimeout(() => { throw new Error("from a timer"); }, 10); }
export function reject() { setTimeout(() => Promise.reject(new Error("after 50 ms")), 50); }
export function pollute() {
  Object.prototype.polluted = true;
  Array.prototype.map = () => "polluted";
  globalThis.fetch = undefined;
  return true;
}
export function read(path) { return Deno.readTextFileSync(path); }
export async function importFile(url) { return await import(url); }
export async function importText(url) { return (await import(url, { with: { type: "text" } })).default; }
export function shout(megabytes) {
  const text = "x".repeat(1024 * 1024);
  for (let i = 0; i < megabytes; i++) console.log(text);
  return "done";
}
export function one() { return 1; }
`;

const FATAL: Readonly<Record<string, { readonly code: ErrorCode; readonly says: string }>> = {
  loop: { code: "deadline", says: '"loop" did not end within 1000 ms' },
  bomb: { code: "crashed", says: "out of memory" },
  kill: { code: "crashed", says: "SIGKILL" },
  killNode: { code: "crashed", says: "SIGKILL" },
  exit: { code: "crashed", says: "code 3" },
  raw: { code: "protocol", says: "not a frame" },
  large: { code: "protocol", says: "no frame" },
};

for (const [symbol, { code, says }] of Object.entries(FATAL)) {
  Deno.test(`a call that is fatal to its process fails alone, and the plugin is back: ${symbol}`, async () => {
    // The bomb needs its time.
    const callDeadline = symbol === "bomb" ? 20_000 : 1_000;
    await using fixture = await tierFixture({ ...QUICK, callDeadline, tier: "process" });
    const plugin = await fixture.open(PLUGIN);
    const error = await assertCode(plugin.call(symbol), code);
    assertStringIncludes(error.message, says);
    await fixture.events.next(({ type }) => type === "restarted", 30_000);
    assertEquals(await plugin.call("one"), 1);
  });
}

for (const symbol of ["loop", "exit"] as const) {
  Deno.test(`a lost worker is started again, and the next generation is a process: ${symbol}`, async () => {
    await using fixture = await tierFixture({ ...QUICK, tier: "worker" });
    const plugin = await fixture.open(PLUGIN);
    await assertCode(plugin.call(symbol), symbol === "loop" ? "deadline" : "crashed");
    await fixture.events.next(({ type }) => type === "restarted");
    assertEquals(await plugin.call("one"), 1);
    const next = await fixture.open(PLUGIN);
    assertEquals([plugin.tier, next.tier], ["worker", "process"]);
  });
}

Deno.test("a module that throws at its top level, or fails to be activated, loses no worker", async () => {
  await using fixture = await tierFixture({ ...QUICK, tier: "worker" });
  await assertCode(fixture.open('throw new Error("bad");'), "load");
  await assertCode(fixture.open("export const activate = () => { throw 1; };"), "activation");
  await assertCode(fixture.open("await new Promise(() => {});"), "deadline");
  assertEquals((await fixture.open(PLUGIN)).tier, "worker");
});

for (
  const [name, source, code] of [
    ["at its top level", BUSY, "deadline"],
    ["as it is activated", `export function activate() { ${BUSY} }`, "activation"],
  ] as const
) {
  Deno.test(`a worker that is busy ${name} is lost: the next generation is a process`, async () => {
    await using fixture = await tierFixture({ ...QUICK, tier: "worker" });
    await assertCode(fixture.open(source), code);
    assertEquals((await fixture.open(PLUGIN)).tier, "process");
  });
}

Deno.test("a worker that is busy as it is retired is lost, and told of", async () => {
  await using fixture = await tierFixture({
    ...QUICK,
    tier: "worker",
    callDeadline: Infinity,
    drainDeadline: 0,
    retention: { count: 1 },
  });
  const plugin = await fixture.open(PLUGIN);
  const call = plugin.call("loop");
  const next = fixture.open(PLUGIN);
  await assertCode(call, "retired");
  assertEquals((await next).tier, "worker");
  await fixture.events.next((event) =>
    event.type === "failed" && event.message.includes("and can't be ended")
  );
  assertEquals((await fixture.open(PLUGIN)).tier, "process");
});

Deno.test("without moveLostWorkers no more than three workers of a plugin are left busy", async () => {
  await using fixture = await tierFixture({ ...QUICK, tier: "worker", moveLostWorkers: false });
  const busy = `export function activate() { ${BUSY} }`;
  for (const code of ["activation", "activation", "activation", "unsupported"] as const) {
    await assertCode(fixture.open(busy), code);
  }
});

Deno.test("what a process has done is answered before it does what it was asked next", async () => {
  await using fixture = await tierFixture({ tier: "process" });
  const plugin = await fixture.open(
    "export function work() { for (const end = Date.now() + 200; Date.now() < end;); }",
  );
  const calls = Array.from({ length: 4 }, () => plugin.call("work"));
  await calls[1];
  const last = calls[3]?.then(() => "done");
  const soon = new Promise((resolve) => setTimeout(resolve, 50, "not yet"));
  assertEquals(await Promise.race([last, soon]), "not yet");
  await Promise.all(calls);
});

Deno.test("what a lost worker's next generation is refused in a process says that it is in one", async () => {
  await using fixture = await tierFixture({ ...QUICK, tier: "worker" });
  const plugin = await fixture.open(PLUGIN);
  await assertCode(plugin.call("exit"), "crashed");
  const reader = `Deno.readDirSync(${
    JSON.stringify(fixture.directory)
  }); export const one = () => 1;`;
  const error = await assertCode(fixture.open(reader), "load");
  assertStringIncludes(error.message, "NotCapable");
  assertStringIncludes(error.message, "in a process");
  assertStringIncludes(error.message, '"moveLostWorkers"');
});

Deno.test("a worker that was lost three times stays down, and its calls are none to try again", async () => {
  await using fixture = await tierFixture({ ...QUICK, tier: "worker" });
  const plugin = await fixture.open(PLUGIN);
  for (let lost = 1; lost <= 3; lost++) {
    const error = await assertCode(plugin.call("exit"), "crashed");
    assert(isRetryable(error));
    const again = (): boolean => fixture.events.of("restarted").length === lost;
    if (lost < 3) await fixture.events.next(again);
  }
  const error = await assertCode(plugin.call("one"), "retired");
  assert(!isRetryable(error));
  assertStringIncludes(error.message, "load another version, in a process");
});

for (const tier of ["worker", "process"] as const) {
  Deno.test(`late errors are told and end nothing, ${tier}`, async () => {
    await using fixture = await tierFixture({ ...QUICK, tier });
    const plugin = await fixture.open(PLUGIN);
    await plugin.call("late");
    await plugin.call("reject");
    for (const text of ["from a timer", "after 50 ms"]) {
      const event = await fixture.events.next((each) =>
        each.type === "failed" && each.message.includes(text)
      );
      assert(event.type === "failed" && event.code === "uncaught");
      assertEquals(event.name, "pricing");
    }
    assertEquals(await plugin.call("one"), 1);
  });

  Deno.test(`a plugin that changes what all objects have changes nothing here, ${tier}`, async () => {
    await using fixture = await tierFixture({ ...QUICK, tier });
    const plugin = await fixture.open(PLUGIN);
    await plugin.call("pollute").catch(() => {});
    assertEquals(([1] as unknown[]).map((each) => each), [1]);
    assert(!("polluted" in {}));
    assertEquals(typeof fetch, "function");
  });

  Deno.test(`a gigabyte on the console ends nothing and is told, ${tier}`, async () => {
    await using fixture = await tierFixture({ ...QUICK, callDeadline: 60_000, tier });
    const plugin = await fixture.open(PLUGIN);
    const before = Deno.memoryUsage().rss;
    assertEquals(await plugin.call("shout", 1024), "done");
    await fixture.events.next((each) => each.type === "failed" && each.code === "limit");
    assertEquals(await plugin.call("one"), 1);
    const grown = Deno.memoryUsage().rss - before;
    if (tier === "process") assert(grown < 200 * 1024 * 1024, `${grown} bytes more`);
  });

  Deno.test(`a plugin that prints line after line too much is told of once, ${tier}`, async () => {
    await using fixture = await tierFixture({ ...QUICK, callDeadline: 60_000, tier });
    const plugin = await fixture.open(`
      export async function shout() {
        for (let i = 0; i < 40_000; i++) {
          console.log("line " + i, ".".repeat(100));
          // Now and then a line comes through.
          if (i % 5_000 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
        }
      }`);
    await plugin.call("shout");
    await fixture.events.next((each) => each.type === "failed" && each.code === "limit");
    await plugin.call("shout");
    assertEquals(fixture.events.of("failed").map(({ code }) => code), ["limit"]);
  });
}

Deno.test("a process reads nothing that it has no permission for, by whichever way", async () => {
  await using fixture = await tierFixture({ ...QUICK, tier: "process" });
  await Deno.writeTextFile(`${fixture.directory}/secret.txt`, "secret");
  const plugin = await fixture.open(PLUGIN);
  const path = `${fixture.directory}/secret.txt`;
  for (
    const [symbol, argument] of [["read", path], ["importFile", `file://${path}`], [
      "importText",
      `file://${path}`,
    ]]
  ) {
    const error = await plugin.call(symbol ?? "", argument).catch((each) => each);
    assert(error instanceof Error);
    assertStringIncludes(error.message, "read access");
  }
});

for (const attributes of ["", ' with { type: "text" }']) {
  Deno.test(`a literal import of a file is refused before it is loaded${attributes}`, async () => {
    await using fixture = await tierFixture({ ...QUICK, tier: "process" });
    const source = `export const load = () => import("file:///etc/passwd"${
      attributes && ', { with: { type: "text" } }'
    });`;
    await assertCode(fixture.open(source), "imports");
  });
}

Deno.test("with preflight, what would hang or end this process never gets into it", async (t) => {
  const cases = {
    "for (;;);": "deadline",
    "Deno.exit(0);": "crashed",
    'Deno.kill(Deno.pid, "SIGKILL");': "crashed",
    "const all = []; for (;;) all.push(new Array(1e5).fill(Math.random()));": "crashed",
  } as const;
  await using fixture = await tierFixture({ ...QUICK, loadDeadline: 10_000, preflight: true });
  for (const [source, code] of Object.entries(cases)) {
    await t.step(source, async () => {
      const error = await assertCode(fixture.open(source), code);
      assertStringIncludes(error.message, "pricing");
    });
  }
  assertEquals((await fixture.open("export const one = 1;")).lookup("one"), 1);
});

/** Executables of Deno 2.4.2: what they can't be kept from is to end themselves, and that alone. */
executableTest(
  "an executable's poison ends its own process at the most, and is named",
  async (t) => {
    await using fixture = await executableFixture();
    await using manager = new PluginManager({ ...QUICK, loadDeadline: 10_000, executables: true });
    using events = collectEvents(manager);
    let scn = parseScn("20240101000000");
    const open = async (source: string): Promise<Generation> => {
      scn = nextScn(scn);
      // Deno 2.4 lets nobody kill, not even itself, who may not run programs.
      const permissions = { run: true } as const;
      const options = { name: "pricing", scn, check: false, permissions };
      return await manager.open(onlyArtifact(await fixture.build(source, options)).path);
    };
    const plugin = await open(PLUGIN);
    for (const [symbol, { code, says }] of Object.entries(FATAL)) {
      // Its heap has no limit of ours that a bomb would reach in the time of this test.
      if (symbol === "bomb") continue;
      await t.step(symbol, async () => {
        const before = events.of("restarted").length;
        const error = await assertCode(plugin.call(symbol), code);
        assertStringIncludes(error.message, says);
        await events.next(() => events.of("restarted").length > before, 60_000);
        assertEquals(await plugin.call("one"), 1);
      });
    }
    const atLoad = {
      "an endless loop at the top level": ["for (;;);", "deadline"],
      "Deno.exit at the top level": ["Deno.exit(7);", "crashed"],
      "a throw in activate": [
        'export function activate() { throw new Error("out of order"); }',
        "activation",
      ],
    } as const;
    for (const [name, [source, code]] of Object.entries(atLoad)) {
      await t.step(name, async () => {
        const error = await assertCode(open(source), code);
        assertStringIncludes(error.message, "pricing");
        assertEquals(await plugin.call("one"), 1);
      });
    }
  },
);
