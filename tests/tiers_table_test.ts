import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Generation, PluginManager, type Tier } from "../manager/mod.ts";
import { executableFixture, executableTest, onlyArtifact } from "./_executable.ts";
import { tempDirectory } from "./_temp.ts";
import { buildModule } from "./_tiers.ts";

/** The plugin that runs everywhere. */
const SOURCE = `
export const version = 3;
export const table = new Map<string, unknown>([["a", new Set([1n])]]);
export function echo(value: unknown): unknown {
  return value;
}
export function sum(...numbers: number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}
class Unfit extends RangeError {
  override name = "Unfit";
  code = "E_UNFIT";
}
export function fail(): never {
  throw new Unfit("does not fit", { cause: new TypeError("too large") });
}
export async function failLater(): Promise<never> {
  await Promise.resolve();
  throw new AggregateError([new Error("one"), "two"], "all of them");
}
export function failWith(value: unknown): never {
  throw value;
}
export async function* count(to: number): AsyncGenerator<number, string> {
  for (let i = 0; i < to; i++) yield i;
  return "end";
}
export async function* countAndFail(): AsyncGenerator<number> {
  yield 1;
  throw new RangeError("no more");
}
export async function total(items: AsyncIterable<number>): Promise<number> {
  let all = 0;
  for await (const each of items) all += each;
  return all;
}
export function until(signal: AbortSignal): Promise<string> {
  return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}
export function never(): Promise<void> {
  return new Promise(() => {});
}
let closed = 0;
export async function* endless(): AsyncGenerator<number> {
  try {
    for (let i = 0;; i++) yield i;
  } finally {
    closed++;
  }
}
export function closedStreams(): number {
  return closed;
}
const context: Record<string, unknown> = {};
export function activate({ name, scn, reason, config, state, signal, logger }: Record<string, unknown>): void {
  Object.assign(context, { name, reason, config, state, aborted: (signal as AbortSignal).aborted, scn: typeof scn });
  (logger as { info(text: string): void }).info("activated");
}
export function seen(): unknown {
  return context;
}
export function main(): boolean {
  return import.meta.main;
}
`;

/** What came of a call, so that it can be compared. */
type Outcome = { readonly value: unknown } | { readonly error: unknown };

async function outcomeOf(call: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await call() };
  } catch (error) {
    return { error: describe(error) };
  }
}

/** All of an error that is the same wherever it was thrown. */
function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return { thrown: error };
  const { name, message, code, cause } = error as Error & { code?: unknown };
  const errors = (error as Partial<AggregateError>).errors?.map(describe);
  const prototype = [TypeError, RangeError, AggregateError, DOMException]
    .find((each) => error instanceof each)?.name;
  // Two builds have two SCNs.
  const said = message.replace(/\(SCN \d+\)/, "(SCN)");
  return { prototype, name, message: said, code, cause: cause && describe(cause), errors };
}

async function collect(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  try {
    for await (const each of stream) items.push(each);
  } catch (error) {
    items.push(describe(error));
  }
  return items;
}

const bytes = new Uint8Array([0, 1, 2, 250, 251, 252]);
const cycle: Record<string, unknown> = { name: "cycle" };
cycle.self = cycle;

/** Each case, and its call. */
const CASES: Readonly<Record<string, (plugin: Generation) => Promise<unknown>>> = {
  "a sum": (plugin) => plugin.call("sum", 1, 2, 3),
  "nothing": (plugin) => plugin.call("echo"),
  "texts": (plugin) => plugin.call("echo", ["", "\ud800", "<!-- \u2028 \0", "😀".repeat(1000)]),
  "numbers": (plugin) => plugin.call("echo", [NaN, -0, Infinity, 2 ** 70, 12345678901234567890n]),
  "containers": (plugin) =>
    plugin.call("echo", new Map<unknown, unknown>([[{}, new Set([[], null])]])),
  "holes and undefined": (plugin) => plugin.call("echo", { a: undefined, b: [1, , 3] }),
  "dates and expressions": (plugin) => plugin.call("echo", [new Date(0), new Date(NaN), /a+/gi]),
  "bytes": (plugin) =>
    plugin.call("echo", [bytes, bytes.buffer, new Float64Array([NaN, -0, 1 / 3])]),
  "a view of a part": (plugin) => plugin.call("echo", bytes.subarray(2, 4)),
  "the same object twice": async (plugin) => {
    const [one, other] = await plugin.call<unknown[]>("echo", [bytes, bytes]);
    return one === other;
  },
  "a cycle": async (plugin) => {
    const answer = await plugin.call<typeof cycle>("echo", cycle);
    return answer.self === answer;
  },
  "an error as a value": async (plugin) =>
    describe(await plugin.call("echo", new SyntaxError("odd", { cause: 5 }))),
  "an error of a class of its own": (plugin) => plugin.call("fail"),
  "several errors": (plugin) => plugin.call("failLater"),
  "undefined thrown": (plugin) => plugin.call("failWith", undefined),
  "zero thrown": (plugin) => plugin.call("failWith", 0),
  "an object thrown": (plugin) => plugin.call("failWith", { code: "E_OBJECT" }),
  "a DOMException thrown": (plugin) =>
    plugin.call("failWith", new DOMException("gone", "AbortError")),
  "no such symbol": (plugin) => plugin.call("nope"),
  "no function": (plugin) => plugin.call("version"),
  "a constant": (plugin) => Promise.resolve(plugin.lookup("version")),
  "a table": (plugin) => Promise.resolve(plugin.lookup("table")),
  "a stream": async (plugin) => await collect(await plugin.call("count", 100)),
  "what a stream returns": async (plugin) => {
    const stream = await plugin.call<AsyncGenerator>("count", 1);
    return [await stream.next(), await stream.next(), await stream.next()];
  },
  "a stream that fails": async (plugin) => await collect(await plugin.call("countAndFail")),
  "a stream as an argument": (plugin) =>
    plugin.call(
      "total",
      (async function* () {
        for (let i = 0; i < 100; i++) yield i;
      })(),
    ),
  "a stream that is left": async (plugin) => {
    for await (const each of await plugin.call<AsyncIterable<number>>("endless")) {
      if (each === 20) break;
    }
    return await plugin.call("closedStreams");
  },
  "a signal": async (plugin) => {
    const controller = new AbortController();
    const waiting = plugin.call("until", controller.signal);
    controller.abort(new DOMException("enough", "AbortError"));
    return await waiting;
  },
  "a signal that was aborted before": (plugin) =>
    plugin.call("echo", AbortSignal.abort("before")).then((signal) =>
      (signal as AbortSignal).reason
    ),
  "the context": (plugin) => plugin.call("seen"),
  "not the main module": (plugin) => plugin.call("main"),
};

/** Cases that go by what bounds a call. */
const BOUNDED: Readonly<Record<string, (manager: PluginManager) => Promise<unknown>>> = {
  "a deadline": (manager) => {
    using plugin = manager.acquire("plugin", { deadline: 50 });
    return plugin.call("never");
  },
  "a call that is given up": (manager) => {
    using plugin = manager.acquire("plugin", { signal: AbortSignal.timeout(50) });
    return plugin.call("never");
  },
};

async function runAll(path: string, tier: Tier): Promise<Record<string, Outcome>> {
  await using manager = new PluginManager({
    tier,
    executables: true,
    config: { plugin: { vat: 0.2 }, tool: { vat: 0.2 } },
  });
  const plugin = await manager.open(path);
  const outcomes: Record<string, Outcome> = {};
  for (const [name, run] of Object.entries(CASES)) {
    outcomes[name] = await outcomeOf(() => run(plugin));
  }
  if (plugin.name !== "plugin") return outcomes;
  for (const [name, run] of Object.entries(BOUNDED)) {
    outcomes[name] = await outcomeOf(() => run(manager));
  }
  return outcomes;
}

Deno.test("a plugin behaves the same in every tier", async (t) => {
  await using directory = await tempDirectory();
  const path = await buildModule(directory.path, SOURCE);
  const inline = await runAll(path, "inline");
  assertEquals(inline["a sum"], { value: 6 });
  assertEquals(inline["a stream that is left"], { value: 1 });
  for (const tier of ["worker", "process"] as const) {
    const remote = await runAll(path, tier);
    for (const name of [...Object.keys(CASES), ...Object.keys(BOUNDED)]) {
      await t.step(`${name}, in a ${tier}`, () => assertEquals(remote[name], inline[name]));
    }
  }
});

executableTest("a plugin behaves the same as an executable of Deno 2.4.2", async (t) => {
  await using fixture = await executableFixture();
  const tool = SOURCE.replaceAll("plugin.call", "tool.call");
  // Errors name the SCN.
  const options = { check: false, scn: 20240101000000 };
  const { path } = onlyArtifact(await fixture.build(tool, options));
  const module = onlyArtifact(await fixture.build(tool, { ...options, mode: "module" }));
  const executable = await runAll(path, "inline");
  const inline = await runAll(module.path, "inline");
  for (const name of Object.keys(CASES)) {
    await t.step(name, () => assertEquals(executable[name], inline[name]));
  }
});

for (const tier of ["inline", "worker", "process"] as const) {
  Deno.test(`the stack of an error shows the line of TypeScript, ${tier}`, async () => {
    await using directory = await tempDirectory();
    const path = await buildModule(directory.path, SOURCE);
    await using manager = new PluginManager({ tier });
    const plugin = await manager.open(path);
    const error = await plugin.call("fail").catch((each) => each);
    assert(error instanceof RangeError);
    assertMatch(error.stack ?? "", /plugin\.ts:15:9/);
    const cause = error.cause as Error;
    assertStringIncludes(cause.stack ?? "", "plugin.ts:15:");
  });
}
