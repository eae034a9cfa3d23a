import { assert, assertEquals } from "@std/assert";
import { basename } from "@std/path";
import { type ErrorCode, HotplugError } from "../artifact/mod.ts";
import { PluginRunner, type RunnerWorld } from "../daemon/loading/plugin_runner.ts";
import type { Candidate, Choice, Generation } from "../manager/mod.ts";
import { SCN, writeArtifact, type WrittenArtifact } from "./_artifacts.ts";
import { type TempDirectory, tempDirectory } from "./_temp.ts";

/** A world whose manager does as it is told, on real files. */
interface FakeWorld extends AsyncDisposable {
  readonly runner: PluginRunner;
  /** The SCNs that were opened, in order. */
  readonly opened: number[];
  /** How the retries of artifacts ended. */
  readonly ends: string[];
  /** The most opens at one time. */
  readonly most: () => number;
  current: number;
}

function fakeWorld(
  open: (
    path: string,
    scn: number,
    signal?: AbortSignal,
  ) => Promise<ErrorCode | undefined> | ErrorCode | undefined,
  overrides: Partial<RunnerWorld> & { readonly waits?: boolean } = {},
): FakeWorld {
  const { waits = false } = overrides;
  let [now, most] = [0, 0];
  const opened: number[] = [];
  const ends: string[] = [];
  const runner = new PluginRunner({
    backoff: { retryMin: 10, retryMax: 40 },
    bareSettle: 50,
    patience: 30,
    isHeld: () => false,
    exhausted: () => {},
    manager: {
      current: () => (world.current ? { scn: world.current } : undefined) as Generation | undefined,
      open: async (path, { signal, begins } = {}) => {
        if (!waits) begins?.();
        // As the loader does, whose turn comes though it was given up.
        signal?.addEventListener("abort", () => begins?.());
        const scn = Number(basename(String(path)).split("_")[1]);
        opened.push(scn);
        most = Math.max(most, ++now);
        try {
          const code = await open(String(path), scn, signal);
          if (code) throw new HotplugError(code, "as told");
        } finally {
          now--;
        }
        world.current = scn;
        return { scn } as Generation;
      },
    },
    muted: (_path, _isNews, fn) => fn(),
    retried: ({ scn, attempts }, outcome) => void ends.push(`${scn - SCN} ${outcome} ${attempts}`),
    ...overrides,
  });
  const world: FakeWorld = {
    runner,
    opened,
    ends,
    most: () => most,
    current: 0,
    [Symbol.asyncDispose]: () => runner.close(),
  };
  return world;
}

async function write(directory: TempDirectory, ...ages: number[]): Promise<WrittenArtifact[]> {
  return await Promise.all(ages.map((age) => {
    return writeArtifact(directory.path, `export const age = ${age};`, { scn: SCN + age });
  }));
}

function choiceOf(directory: TempDirectory, artifacts: readonly WrittenArtifact[]): Choice {
  const candidates: Candidate[] = artifacts
    .map(({ file, parts }) => ({ directory: directory.path, file, parts, bare: false }))
    .toSorted((a, b) => b.parts.scn - a.parts.scn);
  return { name: "pricing", candidates, skips: [], twins: [] };
}

/** Resolves when the condition holds; it is looked at after each turn of the event loop. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!holds()) {
    assert(performance.now() < end, `${what}: not within 5 s`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

Deno.test("PluginRunner opens from the newest down until one loads", async () => {
  await using directory = await tempDirectory();
  const artifacts = await write(directory, 0, 1, 2, 3);
  await using world = fakeWorld((_path, scn) => scn > SCN + 1 ? "syntax" : undefined);
  world.runner.update(choiceOf(directory, artifacts));
  await world.runner.settled();
  assertEquals(world.opened, [SCN + 3, SCN + 2, SCN + 1]);
});

Deno.test("PluginRunner opens one at a time, however often the choice changes", async () => {
  await using directory = await tempDirectory();
  const artifacts = await write(directory, ...Array(30).keys());
  await using world = fakeWorld(async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return undefined;
  });
  for (let known = 1; known <= artifacts.length; known++) {
    world.runner.update(choiceOf(directory, artifacts.slice(0, known)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until("the newest", () => world.current === SCN + 29);
  await world.runner.settled();
  assertEquals(world.most(), 1);
  assertEquals(world.opened.toSorted(), world.opened, "an older one was opened after a newer one");
});

Deno.test("PluginRunner drops the older candidates when a newer choice comes meanwhile", async () => {
  await using directory = await tempDirectory();
  const artifacts = await write(directory, 0, 1, 2);
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await using world = fakeWorld(async (_path, scn) => {
    if (scn !== SCN + 1) return undefined;
    first.resolve();
    await second.promise;
    return "syntax";
  });
  world.runner.update(choiceOf(directory, artifacts.slice(0, 2)));
  await first.promise;
  world.runner.update(choiceOf(directory, artifacts));
  second.resolve();
  await world.runner.settled();
  assertEquals(world.opened, [SCN + 1, SCN + 2]);
});

Deno.test("PluginRunner looks, after a load, at what claims to be the same, once", async () => {
  await using first = await tempDirectory();
  await using second = await tempDirectory();
  const candidates = [
    ...choiceOf(first, await write(first, 0)).candidates,
    ...choiceOf(second, await write(second, 0)).candidates,
  ];
  const paths: string[] = [];
  await using world = fakeWorld((path) => {
    paths.push(path);
    return paths.length > 1 ? "conflict" : undefined;
  }, { bareSettle: 0 });
  const choice = { ...choiceOf(first, []), candidates };
  world.runner.update(choice);
  await world.runner.settled();
  assertEquals(paths.map((path) => path.startsWith(second.path)), [false, true]);
  world.runner.update({ ...choice, candidates: [], twins: candidates });
  await world.runner.settled();
  assertEquals(paths.length, 2);
});

Deno.test("PluginRunner does not open what vanished since the listing", async () => {
  await using directory = await tempDirectory();
  const artifacts = await write(directory, 0, 1);
  await Deno.remove(artifacts[1]?.path ?? "");
  await using world = fakeWorld(() => undefined);
  world.runner.update(choiceOf(directory, artifacts));
  await world.runner.settled();
  assertEquals(world.opened, [SCN]);
});

Deno.test("PluginRunner tries again what was replaced while it was opened", async () => {
  await using directory = await tempDirectory();
  const artifacts = await write(directory, 0);
  let tries = 0;
  await using world = fakeWorld(async (path) => {
    if (tries++ > 0) return undefined;
    // What failed is the old file, and the marks say so: they were taken before.
    await Deno.writeTextFile(`${path}.new`, "export const age = 'replaced';");
    await Deno.rename(`${path}.new`, path);
    return "integrity";
  });
  const choice = choiceOf(directory, artifacts);
  world.runner.update(choice);
  await world.runner.settled();
  world.runner.update(choice);
  await world.runner.settled();
  assertEquals([tries, world.current], [2, SCN]);
});

Deno.test("PluginRunner tries a passing failure again by itself, with the choice as it is then", async () => {
  await using directory = await tempDirectory();
  const artifacts = await write(directory, 0);
  await using world = fakeWorld(() => world.opened.length < 4 ? "activation" : undefined);
  world.runner.update(choiceOf(directory, artifacts));
  await until("the load", () => world.current === SCN);
  assertEquals([world.opened.length, world.ends], [4, ["0 loaded 4"]]);
});

Deno.test("PluginRunner ends the retries of a failure that turns out to be final", async () => {
  await using directory = await tempDirectory();
  const artifacts = await write(directory, 0);
  await using world = fakeWorld(() => world.opened.length < 3 ? "io" : "integrity");
  world.runner.update(choiceOf(directory, artifacts));
  await until("the end", () => world.ends.length > 0);
  assertEquals(world.ends, ["0 failed 3"]);
});

Deno.test("PluginRunner ends the retries of what is older at once when a newer one loads", async () => {
  await using directory = await tempDirectory();
  const artifacts = await write(directory, 0, 1, 2);
  const newest = SCN + 2;
  let fixed = false;
  await using world = fakeWorld(
    (_path, scn) => fixed && scn === newest ? undefined : "load",
    { backoff: { retryMin: 30, retryMax: 30 } },
  );
  world.runner.update(choiceOf(directory, artifacts));
  await world.runner.settled();
  assertEquals(world.opened, [newest, SCN + 1, SCN]);
  fixed = true;
  await until("the load", () => world.current === newest);
  await world.runner.settled();
  assertEquals(world.ends.map((end) => end.replace(/ \d+$/, "")).sort(), [
    "0 superseded",
    "1 superseded",
    "2 loaded",
  ]);
});

/** Hangs until it is given up, or for as long. */
async function hang(signal: AbortSignal | undefined, milliseconds = 60_000): Promise<undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), milliseconds);
  signal?.addEventListener("abort", () => reject(signal.reason));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

Deno.test("PluginRunner gives up a load that hangs once a newer one waits", async () => {
  await using directory = await tempDirectory();
  const artifacts = await write(directory, 0, 1);
  await using world = fakeWorld((_path, scn, signal) => scn === SCN ? hang(signal) : undefined);
  world.runner.update(choiceOf(directory, artifacts.slice(0, 1)));
  await until("the hang", () => world.opened.length === 1);
  world.runner.update(choiceOf(directory, artifacts));
  await until("the newer one", () => world.current === SCN + 1);
  await world.runner.settled();
  assertEquals(world.ends, ["0 superseded 1"]);
});

Deno.test("PluginRunner passes over what waits for its turn once a newer one waits, and tells nothing of it", async () => {
  await using directory = await tempDirectory();
  const artifacts = await write(directory, 0, 1);
  const overrides = { waits: true, patience: 60_000 };
  await using world = fakeWorld(
    (_path, scn, signal) => scn === SCN ? hang(signal) : undefined,
    overrides,
  );
  world.runner.update(choiceOf(directory, artifacts.slice(0, 1)));
  await until("its turn", () => world.opened.length === 1);
  world.runner.update(choiceOf(directory, artifacts));
  await until("the newer one", () => world.current === SCN + 1);
  await world.runner.settled();
  assertEquals([world.ends, world.runner.failures], [[], []]);
});

Deno.test("PluginRunner does not give up a load for what failed, or may have to settle", async () => {
  await using directory = await tempDirectory();
  const artifacts = await write(directory, 0, 1);
  const aborted: number[] = [];
  await using world = fakeWorld((_path, scn, signal) => {
    signal?.addEventListener("abort", () => aborted.push(scn));
    return scn === SCN ? hang(signal, 150) : "syntax";
  });
  const choice = choiceOf(directory, artifacts);
  world.runner.update(choice);
  await until("the slow one", () => world.opened.includes(SCN));
  const [bare] = await write(directory, 2);
  const candidates = [...choice.candidates];
  if (bare) candidates.unshift({ ...bare, directory: directory.path, bare: true });
  world.runner.update({ ...choice, candidates });
  await until("the slow one's load", () => world.current === SCN);
  assertEquals(aborted, []);
});

Deno.test("PluginRunner lets a slow plugin through a stream of ever newer versions", async () => {
  await using directory = await tempDirectory();
  const artifacts = await write(directory, ...Array(40).keys());
  await using world = fakeWorld((_path, _scn, signal) => hang(signal, 100));
  let known = 1;
  world.runner.update(choiceOf(directory, artifacts.slice(0, known)));
  const stream = setInterval(() => {
    known = Math.min(known + 1, artifacts.length);
    world.runner.update(choiceOf(directory, artifacts.slice(0, known)));
  }, 20);
  try {
    await until("any load", () => world.current > 0);
  } finally {
    clearInterval(stream);
  }
  assert(known < artifacts.length, "it loaded only when the stream had ended");
});

Deno.test("PluginRunner has nothing to remember once what failed is gone", async () => {
  await using directory = await tempDirectory();
  const artifacts = await write(directory, 0);
  await using world = fakeWorld(() => "load", { backoff: { retryMin: 60_000, retryMax: 60_000 } });
  world.runner.update(choiceOf(directory, artifacts));
  await world.runner.settled();
  assertEquals(world.runner.idle, false);
  world.runner.update(choiceOf(directory, []));
  await world.runner.settled();
  assertEquals([world.runner.idle, world.ends], [true, ["0 removed 1"]]);
});

Deno.test("PluginRunner looks for what failed and is gone no more often than it would be tried", async () => {
  await using directory = await tempDirectory();
  const artifacts = await write(directory, 0);
  let looks = 0;
  await using world = fakeWorld(() => "io", {
    backoff: { retryMin: 50, retryMax: 50 },
    exhausted: () => looks++,
  });
  world.runner.update(choiceOf(directory, artifacts));
  await world.runner.settled();
  for (const { path } of artifacts) await Deno.remove(path);
  const began = performance.now();
  looks = 0;
  await until("looks", () => looks >= 4);
  assert(performance.now() - began > 100);
  assertEquals(world.opened.length, 1);
});

Deno.test("PluginRunner begins nothing once it is closed", async () => {
  await using directory = await tempDirectory();
  const artifacts = await write(directory, 0, 1);
  await using world = fakeWorld(() => "load");
  world.runner.update(choiceOf(directory, artifacts));
  await world.runner.close();
  const before = world.opened.length;
  world.runner.update(choiceOf(directory, artifacts));
  await world.runner.close();
  assertEquals(world.opened.length, before);
});
