import { assert, assertEquals, assertRejects } from "@std/assert";
import { type HotplugError, PluginManager } from "../mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { assertCode } from "./_errors.ts";
import { tempDirectory } from "./_temp.ts";

const COUNTING = (version: number): string => `
  export const version = ${version};
  export const answer = () => ${version};
  export const later = (gate) => gate;
  export const fails = () => { throw new TypeError("no"); };
  export let ended = [];
  export async function* count(to) {
    try {
      for (let n = 1; n <= to; n++) yield n;
      return "done";
    } finally {
      ended.push("count");
    }
  }
  export async function* breaks() { yield 1; throw new RangeError("broken"); }
  export async function* hangs() { yield 1; await new Promise(() => {}); }
  export const stream = () => new Response("text").body;`;

interface Counting {
  readonly version: number;
  answer(): number;
  later<T>(gate: Promise<T>): Promise<T>;
  fails(): void;
  count(to: number): AsyncGenerator<number, string>;
  breaks(): AsyncGenerator<number>;
  hangs(): AsyncGenerator<number>;
  stream(): ReadableStream<Uint8Array>;
}

async function open(manager: PluginManager, folder: string, version: number): Promise<void> {
  await manager.open(
    (await writeArtifact(folder, COUNTING(version), { scn: SCN + version })).path,
  );
}

Deno.test("a handle can be made before the plugin is there, and follows every swap", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  const pricing = manager.use<Counting>("pricing");
  await assertCode(pricing.answer(), "not-found");
  for (const version of [1, 2, 3]) {
    await open(manager, directory.path, version);
    assertEquals(await pricing.answer(), version);
  }
});

Deno.test("a handle calls functions only, and says what there is", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  await open(manager, directory.path, 1);
  const pricing = manager.use<Record<string, () => unknown>>("pricing");
  await assertCode(pricing.nothing!(), "symbol");
  await assertCode(pricing.version!(), "symbol");
  await assertRejects(() => Promise.resolve(pricing.fails!()), TypeError, "no");
  // A handle may be the result of an async function.
  assertEquals(await Promise.resolve(pricing) === pricing, true);
  await manager.close();
  await assertCode(pricing.answer!(), "closed");
});

Deno.test("a call by a handle holds its generation until it ends", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  await open(manager, directory.path, 1);
  const old = manager.current("pricing")!;
  const gate = Promise.withResolvers<number>();
  const call = manager.use<Counting>("pricing").later(gate.promise);
  await open(manager, directory.path, 2);
  assertEquals([old.state, old.leases], ["superseded", 1]);
  assertEquals(manager.whoHolds("pricing").map(({ scn, kind, symbol }) => [scn, kind, symbol]), [
    [SCN + 1, "call", "later"],
  ]);
  gate.resolve(7);
  assertEquals(await call, 7);
  assertEquals(await manager.drained(old), true);
  assertEquals(manager.whoHolds("pricing"), []);
});

const endings: Record<string, (all: AsyncIterableIterator<number>) => Promise<unknown>> = {
  "it is done": async (all) => assertEquals(await Array.fromAsync(all), [1, 2, 3]),
  "it is left": async (all) => {
    for await (const _ of all) break;
  },
  "return is called": async (all) => {
    await all.next();
    assertEquals(await all.return?.("over"), { done: true, value: "over" });
  },
  "throw is called": async (all) => {
    await all.next();
    await assertRejects(async () => void await all.throw?.(new RangeError("enough")), RangeError);
  },
  "it is returned before it began": async (all) => void await all.return?.(),
};

for (const [what, end] of Object.entries(endings)) {
  Deno.test(`an async iterator holds its generation until ${what}`, async () => {
    await using directory = await tempDirectory();
    await using manager = new PluginManager();
    await open(manager, directory.path, 1);
    const old = manager.current("pricing")!;
    const all = await manager.use<Counting>("pricing").count(3);
    await open(manager, directory.path, 2);
    assertEquals([old.state, old.leases], ["superseded", 1]);
    await end(all as AsyncIterableIterator<number>);
    assertEquals(await manager.drained(old), true);
    assertEquals([old.leases, await all.next()], [0, { done: true, value: undefined }]);
  });
}

Deno.test("an async iterator that throws ends its hold, and counts as a call that failed", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  await open(manager, directory.path, 1);
  await assertRejects(
    async () => {
      for await (const _ of manager.use<Counting>("pricing").breaks());
    },
    RangeError,
    "broken",
  );
  assertEquals(manager.current("pricing")?.leases, 0);
  const [{ generations: [generation] }] = manager.status() as [
    ReturnType<PluginManager["status"]>[0],
  ];
  assertEquals([generation?.calls, generation?.errors], [1, 1]);
});

Deno.test("the drain deadline cuts an async iterator: who waits for its next value gets retired", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager({ drainDeadline: 20 });
  await open(manager, directory.path, 1);
  const old = manager.current("pricing")!;
  const waiting = await manager.use<Counting>("pricing").hangs();
  assertEquals(await waiting.next(), { done: false, value: 1 });
  const next = waiting.next();
  const counting = await old.call<AsyncGenerator<number>>("count", 5);
  await counting.next();
  await open(manager, directory.path, 2);
  await assertCode(next, "retired");
  assertEquals(await manager.drained(old), false);
  await assertCode(counting.next(), "retired");
  assertEquals(old.lookup<string[]>("ended"), ["count"]);
  assertEquals(old.leases, 0);
});

Deno.test("what can be iterated can be so without a second await, and is what the plugin gave", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  await open(manager, directory.path, 1);
  const pricing = manager.use<Counting>("pricing");
  assertEquals(await Array.fromAsync(pricing.count(3)), [1, 2, 3]);
  const stream = await pricing.stream();
  assert(stream instanceof ReadableStream);
  assertEquals(await new Response(stream).text(), "text");
});

Deno.test("a signal ends the wait for a call, a deadline does so with an error of its own", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  await open(manager, directory.path, 1);
  const controller = new AbortController();
  const reason = new Error("enough");
  const never = new Promise<never>(() => {});
  const call = manager.use<Counting>("pricing", controller).later(never);
  controller.abort(reason);
  assertEquals(await call.catch((error) => error), reason);
  const after = manager.use<Counting>("pricing", controller).answer();
  assertEquals(await after.catch((error) => error), reason);
  const late = await assertCode(
    manager.use<Counting>("pricing", { deadline: 10 }).later(never),
    "deadline",
  );
  assert(late.message.includes('"later"') && late.message.includes("10 ms"), late.message);
  using lease = manager.acquire("pricing", { deadline: 10 });
  await assertCode(lease.call("later", never), "deadline");
  assertEquals(manager.current("pricing")?.leases, 1);
});

Deno.test("past maxInFlight a call is refused as busy, and begins again when one has ended", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager({ plugins: { pricing: { maxInFlight: 2 } } });
  await open(manager, directory.path, 1);
  const pricing = manager.use<Counting>("pricing");
  const gate = Promise.withResolvers<number>();
  const two = [pricing.later(gate.promise), pricing.later(gate.promise)];
  await assertCode(pricing.answer(), "busy");
  await assertCode(manager.current("pricing")!.call("answer"), "busy");
  assertEquals(await manager.use<Counting>("pricing", { maxInFlight: 3 }).answer(), 1);
  gate.resolve(1);
  await Promise.all(two);
  assertEquals(await pricing.answer(), 1);
});

Deno.test("whoHolds names leases by their label, and since when they are", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  await open(manager, directory.path, 1);
  const before = Date.now();
  {
    using _checkout = manager.acquire("pricing", { label: "checkout" });
    await using _nameless = manager.acquire("pricing");
    const [first, second] = manager.whoHolds("pricing");
    assertEquals([first?.kind, first?.label, second?.label], ["lease", "checkout", undefined]);
    assert(first && first.since >= before && first.since <= Date.now());
  }
  assertEquals(manager.whoHolds("pricing"), []);
  assertEquals(manager.whoHolds("nothing"), []);
});

Deno.test("a generation of another manager is none to wait for", async () => {
  await using directory = await tempDirectory();
  await using one = new PluginManager();
  await using other = new PluginManager();
  await open(one, directory.path, 1);
  await assertCode(other.drained(one.current("pricing")!) as Promise<unknown>, "not-found");
});

Deno.test("settings out of their range are refused by name", () => {
  const wrong: [object, string][] = [
    [{ tier: "thread" }, '"tier" is "thread"'],
    [{ plugins: { pricing: { tier: 1 } } }, '"plugins.pricing.tier"'],
    [{ loader: "eval" }, '"loader" is "eval"'],
    [{ retention: { count: 0 } }, '"retention.count"'],
    [{ retention: { age: -1 } }, '"retention.age"'],
    [{ probation: { errorRate: 2 } }, '"probation.errorRate"'],
    [{ callDeadline: 0 }, '"callDeadline"'],
    [{ maxInFlight: 0 }, '"maxInFlight"'],
    [{ drainDeadline: -1 }, '"drainDeadline"'],
    [{ hookDeadlines: { health: 0 } }, '"hookDeadlines.health"'],
    [{ runtime: { version: "new", os: "linux", arch: "amd64" } }, '"runtime"'],
    [{ runtime: { version: "2.9.5", os: "beos", arch: "amd64" } }, '"runtime"'],
  ];
  for (const [options, part] of wrong) {
    let error: HotplugError | undefined;
    try {
      new PluginManager(options);
    } catch (thrown) {
      error = thrown as HotplugError;
    }
    assertEquals(error?.code, "options", part);
    assert(error?.message.includes(part), error?.message);
  }
});
