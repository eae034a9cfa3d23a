import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import process from "node:process";
import { type FailedEvent, PluginManager } from "../manager/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { blamedOf } from "./_blamed.ts";
import { jsonLines, runScript, type ScriptResult } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

/** What plugins do that would end their process, and what is told of each. */
const misdeeds: Record<string, { source: string; codes: string[]; open?: string }> = {
  error: { source: "setTimeout(() => { throw new Error('late'); });", codes: ["uncaught"] },
  string: { source: "setTimeout(() => { throw 'late'; });", codes: ["uncaught"] },
  nothing: { source: "setTimeout(() => { throw null; });", codes: ["uncaught"] },
  frozen: {
    source: "setTimeout(() => { throw Object.freeze(new Error('late')); });",
    codes: ["uncaught"],
  },
  proxy: {
    source:
      "const no = () => { throw 1; }; const p = new Proxy({}, { get: no, getPrototypeOf: no });" +
      "setTimeout(() => { throw p; });",
    codes: ["uncaught"],
  },
  quoting: {
    source:
      "setTimeout(() => { throw new Error('of:\\n    at main (file:///host/main.ts:1:1)'); });",
    codes: ["uncaught"],
  },
  interval: {
    source: "const t = setInterval(() => { clearInterval(t); throw 'late'; });",
    codes: ["uncaught"],
  },
  immediate: { source: "setImmediate(() => { throw 'late'; });", codes: ["uncaught"] },
  microtask: { source: "queueMicrotask(() => { throw 'late'; });", codes: ["uncaught"] },
  node_timer: {
    source:
      "import { setTimeout } from 'node:timers'; setTimeout(() => { throw new Error('late'); });",
    codes: ["uncaught"],
  },
  tick: {
    source:
      "import process from 'node:process'; process.nextTick(() => { throw new Error('late'); });",
    codes: ["uncaught"],
  },
  tick_string: {
    source: "import process from 'node:process'; process.nextTick(() => { throw 'late'; });",
    codes: ["uncaught"],
  },
  listener: {
    source:
      "const t = new EventTarget(); t.addEventListener('x', () => { throw new Error('late'); });" +
      "setTimeout(() => t.dispatchEvent(new Event('x')));",
    codes: ["uncaught"],
  },
  rejection: { source: "Promise.reject(new Error('late'));", codes: ["uncaught"] },
  rejected_undefined: { source: "Promise.reject();", codes: ["uncaught"] },
  rejected_string: { source: "(async () => { await 0; throw 'late'; })();", codes: ["uncaught"] },
  rejected_in_timer: {
    source: "setTimeout(async () => { await 0; throw 'late'; });",
    codes: ["uncaught"],
  },
  rejected_by_runtime: { source: "fetch('http://127.0.0.1:1/');", codes: ["uncaught"] },
  rejected_by_file: { source: "Deno.readTextFile('/no/such/file');", codes: ["uncaught"] },
  socket: {
    source: "import net from 'node:net'; net.connect(1, '127.0.0.1');",
    codes: ["uncaught"],
  },
  signal: {
    source: "const s = AbortSignal.timeout(1); s.onabort = () => { throw 'late'; };",
    codes: ["uncaught"],
  },
  signal_reason: {
    source: "const s = AbortSignal.timeout(1);" +
      "new Promise((_, no) => s.addEventListener('abort', () => no(s.reason)));",
    codes: ["uncaught"],
  },
  signal_of_signals: {
    source: "const s = AbortSignal.any([AbortSignal.timeout(1)]);" +
      "s.addEventListener('abort', { handleEvent: async () => { throw s.reason; } });",
    codes: ["uncaught"],
  },
  activate: {
    source: "export const activate = () => { setTimeout(() => { throw 'late'; }); };",
    codes: ["uncaught"],
  },
  called: {
    source: "export const run = () => { setTimeout(() => { throw 'late'; }); };",
    codes: ["uncaught"],
  },
  failed_load: {
    source: "setTimeout(() => { throw 'late'; }); throw new Error('early');",
    open: "load",
    codes: ["load", "uncaught"],
  },
  deno_exit: { source: "setTimeout(() => Deno.exit(3));", codes: ["exit"] },
  deno_exit_itself: { source: "setTimeout(Deno.exit);", codes: ["exit"] },
  process_exit: {
    source: "import process from 'node:process'; setTimeout(() => process.exit(3));",
    codes: ["exit"],
  },
  process_exit_itself: {
    source: "import process from 'node:process'; setTimeout(process.exit, 0, 3);",
    codes: ["exit"],
  },
  imported_exit: {
    source: "import { exit } from 'node:process'; setTimeout(() => exit(3));",
    codes: ["exit"],
  },
  imported_exit_itself: {
    source: "import { exit } from 'node:process'; setTimeout(exit, 0, 3);",
    codes: ["exit"],
  },
  global_exit: { source: "setTimeout(() => globalThis.process.exit(3));", codes: ["exit"] },
  exit_in_promise: { source: "(async () => { await 0; Deno.exit(3); })();", codes: ["exit"] },
  exit_as_reaction: { source: "Promise.resolve(3).then(Deno.exit);", codes: ["exit"] },
  exit_at_top_level: { source: "Deno.exit(3);", open: "load", codes: ["exit", "load"] },
  exit_in_activate: {
    source: "export const activate = () => Deno.exit(3);",
    open: "activation",
    codes: ["exit", "activation"],
  },
  exit_as_activate: {
    source: "export const activate = Deno.exit;",
    open: "activation",
    codes: ["exit", "activation"],
  },
  exit_in_call: { source: "export const run = () => Deno.exit(3);", codes: ["exit"] },
  exit_as_symbol: { source: "export { exit as run } from 'node:process';", codes: ["exit"] },
  really_exit: {
    source: "import process from 'node:process'; setTimeout(() => process.reallyExit(3));",
    codes: ["exit"],
  },
  close: { source: "setTimeout(() => close());", codes: ["exit"] },
  close_itself: { source: "setTimeout(close);", codes: ["exit"] },
  close_of_self: { source: "setTimeout(() => self.close());", codes: ["exit"] },
  close_as_reaction: { source: "Promise.resolve(3).then(globalThis.close);", codes: ["exit"] },
  close_at_top_level: { source: "close();", open: "load", codes: ["exit", "load"] },
  close_in_activate: {
    source: "export const activate = () => close();",
    open: "activation",
    codes: ["exit", "activation"],
  },
  close_in_call: { source: "export const run = () => close();", codes: ["exit"] },
  exit_with_a_symbol: { source: "setTimeout(() => Deno.exit(Symbol()));", codes: ["exit"] },
  exit_with_an_object: {
    source:
      "import process from 'node:process'; setTimeout(() => process.exit(Object.create(null)));",
    codes: ["exit"],
  },
  report_error: { source: "setTimeout(() => reportError('late'));", codes: ["uncaught"] },
};

Deno.test("what a plugin does that would end the process is told once, and the process goes on", async (t) => {
  await using directory = await tempDirectory();
  const paths: string[] = [];
  for (const [name, { source }] of Object.entries(misdeeds)) {
    const { path } = await writeArtifact(directory.path, source, { name, info: false });
    paths.push(path);
  }
  const { code, stdout, stderr } = await runScript(
    directory.path,
    `
    import { PluginManager } from "project:manager/mod.ts";
    import process from "node:process";
    process.on("exit", (code) => console.log("exit listener " + code));
    const manager = new PluginManager({ guards: true });
    const seen = {};
    let over = Promise.withResolvers();
    manager.subscribe((event) => {
      if (event.type === "loaded") return;
      console.log(JSON.stringify(event));
      seen[event.name] = (seen[event.name] ?? 0) + 1;
      over.resolve();
      over = Promise.withResolvers();
    });
    const wanted = ${JSON.stringify(Object.entries(misdeeds).map(([n, m]) => [n, m.codes.length]))};
    for (const path of ${JSON.stringify(paths)}) {
      const generation = await manager.open(path).catch((error) => console.log("open " + error.code));
      if (generation?.symbols.includes("run")) {
        await generation.call("run").catch((error) => console.log("call " + error.code));
      }
    }
    const limit = setTimeout(() => { console.log("gave up"); over.resolve(); Deno.exit(9); }, 8_000);
    while (wanted.some(([name, count]) => (seen[name] ?? 0) < count)) await over.promise;
    clearTimeout(limit);
    // Whatever is told a second time is told within the next turns.
    for (let turn = 0; turn < 5; turn++) await new Promise((next) => setTimeout(next));
    await manager.close();
    console.log("went on");
    `,
  );
  const events = jsonLines<FailedEvent>(stdout);
  for (const [name, { codes }] of Object.entries(misdeeds)) {
    await t.step(name, () => {
      const told = events.filter((event) => event.name === name);
      assertEquals(told.map((event) => event.code).sort(), codes.toSorted());
      for (const event of told) assertEquals([event.type, event.scn], ["failed", SCN]);
      if (!name.startsWith("imported_exit")) return;
      assertEquals(told.map(({ message }) => message.includes("exit(3)")), [true]);
    });
  }
  await t.step("nothing else is told, and the host ends as it wants", () => {
    assertEquals(code, 0, stdout + stderr);
    assert(stdout.includes("went on\nexit listener 0\n"), stdout);
    assertEquals(stdout.match(/exit listener/g)?.length, 1);
  });
});

/** With what plugins listen to a signal of the system that would end their process. */
const atSignal: Record<string, string> = {
  "Deno.exit": "Deno.addSignalListener('SIGUSR2', Deno.exit);",
  close: "Deno.addSignalListener('SIGUSR2', close);",
  "process.exit": "process.on('SIGUSR2', process.exit);",
  "process.exit bound": "process.once('SIGUSR2', process.exit.bind(process, 0));",
  // Called with the signal's name, of which it throws.
  "throw of an imported exit": "process.on('SIGUSR2', exit);",
  "throw of a string": "process.on('SIGUSR2', () => { throw 'late'; });",
  "throw of a string at Deno's": "Deno.addSignalListener('SIGUSR2', () => { throw 'late'; });",
};

Deno.test({
  name:
    "what a plugin does at a signal of the system is an event, and the host hears that signal too",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using directory = await tempDirectory();
    const listens = Object.values(atSignal).map(async (source, index) => {
      const text = `import process, { exit } from "node:process"; ${source}
        const kept = () => console.log("kept");
        Deno.addSignalListener("SIGUSR2", kept);
        process.on("SIGUSR2", kept);
        Deno.removeSignalListener("SIGUSR2", kept);
        process.off("SIGUSR2", kept);`;
      return (await writeArtifact(directory.path, text, { name: `p${index}`, info: false })).path;
    });
    const { code, stdout, stderr } = await runScript(
      directory.path,
      `
      import { PluginManager } from "project:manager/mod.ts";
      const manager = new PluginManager({ guards: true });
      manager.subscribe((event) => event.type === "failed" && console.log(JSON.stringify(event)));
      for (const path of ${JSON.stringify(await Promise.all(listens))}) await manager.open(path);
      const heard = Promise.withResolvers();
      Deno.addSignalListener("SIGUSR2", heard.resolve);
      Deno.kill(Deno.pid, "SIGUSR2");
      await heard.promise;
      await new Promise((next) => setTimeout(next, 20));
      await manager.close();
      console.log("went on");
      Deno.exit();
      `,
    );
    assertEquals(code, 0, stdout + stderr);
    assert(stdout.includes("went on"), stdout);
    assert(!stdout.includes("kept"), stdout);
    const told = jsonLines<FailedEvent>(stdout).map((event) => `${event.name} ${event.code}`);
    assertEquals(
      told.sort(),
      Object.keys(atSignal).map((what, index) =>
        `p${index} ${what.startsWith("throw") ? "uncaught" : "exit"}`
      ),
    );
  },
});

/** What plugins do when their signal is aborted that would end their process. */
const answersToAbort: Record<string, string> = {
  "rejects with the reason":
    "new Promise((_, no) => { signal.onabort = () => no(signal.reason); });",
  "rejects with the runtime's error":
    "import('node:timers/promises').then(({ setTimeout }) => setTimeout(60_000, 0, { signal }));",
  "throws the reason": "signal.onabort = () => { throw signal.reason; };",
  "throws the reason later":
    "signal.onabort = () => { setTimeout(() => signal.throwIfAborted()); };",
  "rejects with its own error": "signal.onabort = async () => { throw new Error('mine'); };",
  "exits": "signal.onabort = () => Deno.exit(3);",
};

for (const [what, answer] of Object.entries(answersToAbort)) {
  for (
    const [when, end] of [["closes", ""], ["gives an activation up", "throw new Error('no');"]]
  ) {
    Deno.test(`a plugin that ${what} when its manager ${when} does not end the process`, async () => {
      await using directory = await tempDirectory();
      const source = `export const activate = async ({ signal }) => {
        ${answer}
        await new Promise((next) => setTimeout(next, 20));
        ${end}
      };`;
      const { path } = await writeArtifact(directory.path, source, { info: false });
      const { code, stdout, stderr } = await runScript(
        directory.path,
        `
        import { PluginManager } from "project:manager/mod.ts";
        const manager = new PluginManager({ guards: true });
        manager.subscribe((event) => event.type === "failed" && console.log(JSON.stringify(event)));
        await manager.open(${JSON.stringify(path)}).catch(() => {});
        await manager.close();
        for (let turn = 0; turn < 20; turn++) await new Promise((next) => setTimeout(next, 1));
        console.log("went on");
        `,
      );
      assertEquals(code, 0, stdout + stderr);
      assert(stdout.includes("went on"), stdout);
      const codes = jsonLines<FailedEvent>(stdout).map((event) => event.code);
      const expected = what === "exits" ? "exit" : "uncaught";
      assertEquals(codes.toSorted(), end ? ["activation", expected] : [expected]);
    });
  }
}

Deno.test("the host's own rejection with what it aborted a load with ends it", async () => {
  const { code, stdout, stderr } = await hostThat(
    `const signal = AbortSignal.abort(new Error("mine"));
     manager.open(${JSON.stringify("/no/such_20240101000000_2_0_0_any_any.mjs")}, { signal });`,
  );
  assertEquals(code, 1, stdout);
  assert(stderr.includes("mine"), stderr);
});

/** Runs a host with guards that has opened a plugin, and then does something itself. */
async function hostThat(
  does: string,
  plugin = "export const run = (fn) => fn();",
): Promise<ScriptResult> {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, plugin, { info: false });
  return await runScript(
    directory.path,
    `
    import { PluginManager } from "project:manager/mod.ts";
    import process, { exit } from "node:process";
    process.on("exit", (code) => console.log("exit listener " + code));
    const manager = new PluginManager({ guards: true });
    manager.subscribe((event) => event.type === "failed" && console.log(JSON.stringify(event)));
    const plugin = await manager.open(${JSON.stringify(path)});
    setTimeout(() => { console.log("went on"); Deno.exit(0); }, 300);
    ${does}
    `,
  );
}

const own: Record<string, { does: string; code: number; listener?: boolean; plugin?: string }> = {
  "throw in a timer": { does: "setTimeout(() => { throw new Error('mine'); });", code: 1 },
  "throw of a string": { does: "setTimeout(() => { throw 'mine'; });", code: 1 },
  "throw of a string in a tick": {
    does: "process.nextTick(() => { throw 'mine'; });",
    code: 1,
  },
  "socket that fails": {
    does: "const net = await import('node:net'); net.connect(1, '127.0.0.1');",
    code: 1,
  },
  "unhandled rejection": { does: "Promise.reject(new Error('mine'));", code: 1 },
  "unhandled rejection of nothing": { does: "Promise.reject();", code: 1 },
  "Deno.exit": { does: "Deno.exit(7);", code: 7 },
  "Deno.exit in a timer": { does: "setTimeout(() => Deno.exit(7));", code: 7 },
  "Deno.exit itself in a timer": { does: "setTimeout(Deno.exit, 0, 7);", code: 7 },
  "process.exit": { does: "process.exit(7);", code: 7, listener: true },
  "imported exit": { does: "exit(7);", code: 7, listener: true },
  "exit code": { does: "process.exitCode = 7; Deno.exit();", code: 7 },
  "callback that a plugin calls and that exits": {
    does: "plugin.call('run', () => Deno.exit(7));",
    code: 7,
  },
  "callback that a plugin calls and that calls process.exit": {
    does: "plugin.call('run', () => process.exit(7));",
    code: 7,
    listener: true,
  },
  "callback that a plugin calls in a timer and that throws": {
    plugin: "export const run = (fn) => { setTimeout(() => fn()); };",
    does: "plugin.call('run', () => { throw new Error('mine'); });",
    code: 1,
  },
  "callback that a plugin passes to a timer and that throws": {
    plugin: "export const run = (fn) => { setTimeout(fn); };",
    does: "plugin.call('run', () => { throw new Error('mine'); });",
    code: 1,
  },
};

for (const [what, { does, code, listener, plugin }] of Object.entries(own)) {
  Deno.test(`the host's own ${what} ends it as without guards`, async () => {
    const result = await hostThat(does, plugin);
    assertEquals(result.code, code, result.stdout + result.stderr);
    assert(!result.stdout.includes("went on"));
    assertEquals(jsonLines(result.stdout), []);
    if (listener) assert(result.stdout.includes(`exit listener ${code}`), result.stdout);
  });
}

Deno.test("an exit code that a plugin leaves is not the host's", async () => {
  const { code, stdout } = await hostThat(
    "plugin.call('run').catch(() => {}).then(() => process.exit());",
    "import { exit } from 'node:process'; export const run = () => exit(3);",
  );
  assertEquals(code, 0, stdout);
  assertEquals(stdout.match(/exit listener \d/g), ["exit listener 0"]);
});

Deno.test("of two generations the one is blamed that did it", async () => {
  await using directory = await tempDirectory();
  const source = "export const run = (what) => { setTimeout(() => { throw what; }); };";
  const files = [SCN, SCN + 1].map((scn) =>
    writeArtifact(directory.path, source, { scn, info: false })
  );
  const [one, two] = (await Promise.all(files)).map(({ path }) => JSON.stringify(path));
  const { code, stdout, stderr } = await runScript(
    directory.path,
    `
    import { PluginManager } from "project:manager/mod.ts";
    const manager = new PluginManager({ guards: true });
    const events = manager.events();
    const first = await manager.open(${one});
    const second = await manager.open(${two});
    await events.next(), await events.next();
    for (const what of ["text", new Error("error")]) {
      for (const generation of [second, first]) {
        await generation.call("run", what);
        const { value } = await events.next();
        console.log(JSON.stringify({ scn: value.scn, code: value.code }));
      }
    }
    await manager.close();
    `,
  );
  assertEquals(code, 1, "an Error made by the host is the host's, wherever it is thrown");
  assert(stderr.includes("Uncaught"), stderr);
  assertEquals(jsonLines(stdout), [
    { scn: SCN + 1, code: "uncaught" },
    { scn: SCN, code: "uncaught" },
  ]);
});

Deno.test("of plugins that are loaded at the same time each is blamed for what it did", async () => {
  const names = Array.from({ length: 12 }, (_, index) => `plugin${index}`);
  const blamed = await blamedOf(names, (index) => {
    // What has no stack trace: only the context tells whose it is.
    const late = "setTimeout(() => { throw null; }, 50); export const a = 1;";
    const pause = `await new Promise((resolve) => setTimeout(resolve, ${index}));`;
    return index % 2 === 0 ? late : pause + late;
  });
  assertEquals(blamed.names.toSorted(), names.toSorted(), blamed.stderr);
});

const patched = (): unknown[] => [
  Deno.exit,
  process.exit,
  process.emit,
  globalThis.setTimeout,
  globalThis.setInterval,
  (globalThis as { setImmediate?: unknown }).setImmediate,
  globalThis.queueMicrotask,
  process.nextTick,
  AbortSignal.prototype.addEventListener,
  AbortSignal.prototype.removeEventListener,
  globalThis.ReadableStream,
  ReadableStream.prototype.constructor,
];

function assertSame(actual: unknown[], expected: unknown[]): void {
  for (const [at, value] of expected.entries()) assertStrictEquals(actual[at], value);
}

// What removes listeners of signals stays, once a plugin has listened: so these are before any that does.
Deno.test("close gives every function back as it was", async () => {
  const before = patched();
  const manager = new PluginManager({ guards: true });
  assert(patched().every((value, at) => value !== before[at]));
  await manager.close();
  assertSame(patched(), before);
  assert(!Object.hasOwn(process, "emit"));
});

Deno.test("of two managers with guards the last to close gives the functions back", async () => {
  const before = patched();
  const one = new PluginManager({ guards: true });
  const during = patched();
  const two = new PluginManager({ guards: true });
  assertSame(patched(), during);
  await one.close();
  await one.close();
  assertSame(patched(), during);
  await two.close();
  assertSame(patched(), before);
});

Deno.test("without guards nothing is touched", async () => {
  const before = patched();
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, "export {}");
  await using manager = new PluginManager();
  await manager.open(path);
  assertSame(patched(), before);
});

Deno.test("a function that someone has wrapped since stays wrapped, and works", async () => {
  const original = globalThis.setTimeout;
  const manager = new PluginManager({ guards: true });
  const guarded = globalThis.setTimeout;
  const wrapped =
    ((...args: Parameters<typeof setTimeout>) => guarded(...args)) as typeof setTimeout;
  globalThis.setTimeout = wrapped;
  try {
    await manager.close();
    assertStrictEquals(globalThis.setTimeout, wrapped);
    await new Promise<void>((resolve) => void setTimeout(resolve));
  } finally {
    globalThis.setTimeout = original;
  }
});

Deno.test("a guarded plugin listens to signals as without guards", async () => {
  await using directory = await tempDirectory();
  const source = `
    export const run = () => {
      const told = [];
      const of = new AbortController();
      const { signal } = of;
      const twice = () => told.push("twice");
      const gone = () => told.push("gone");
      const other = { handleEvent(event) { told.push(this === other, event.target === signal); } };
      signal.addEventListener("abort", twice);
      signal.addEventListener("abort", twice);
      signal.addEventListener("abort", gone);
      signal.removeEventListener("abort", gone);
      signal.addEventListener("abort", other, { once: true });
      signal.addEventListener("abort", function () { told.push(this === signal); });
      signal.addEventListener("abort", null);
      of.abort();
      signal.dispatchEvent(new Event("abort"));
      return told;
    };`;
  const { path } = await writeArtifact(directory.path, source, { info: false });
  for (const guards of [true, false]) {
    await using manager = new PluginManager({ guards });
    const plugin = await manager.open(path);
    assertEquals(await plugin.call("run"), ["twice", true, true, true, "twice", true]);
  }
});
