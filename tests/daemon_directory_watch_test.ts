import { EventEmitter } from "node:events";
import type { FSWatcher } from "chokidar";
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { DirectoryWatch, type SetWatch } from "../daemon/watch/directory_watch.ts";
import { tempDirectory } from "./_temp.ts";
import { within } from "./_daemon.ts";

const HOW = { poll: 20, alwaysPoll: false };

/** A watch whose hints and states can be awaited. */
async function startWatch(path: string, rootCheck = 20): Promise<
  AsyncDisposable & {
    readonly watch: DirectoryWatch;
    readonly states: string[];
    readonly hints: () => number;
    /** Resolves at the next hint. */
    hint(): Promise<void>;
    /** Resolves once the last state is this one. */
    state(state: string): Promise<void>;
  }
> {
  const states: string[] = [];
  let hints = 0;
  let changed = Promise.withResolvers<void>();
  const notify = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const hint = (): void => {
    hints++;
    notify();
  };
  const watch = new DirectoryWatch(path, {
    hint,
    tick: hint,
    state: (state) => {
      states.push(state);
      notify();
    },
  }, HOW);
  await watch.start(rootCheck);
  const until = async (what: string, holds: () => boolean): Promise<void> => {
    while (!holds()) await within(10_000, what, changed.promise);
  };
  return {
    watch,
    states,
    hints: () => hints,
    hint: () => {
      const before = hints;
      return until("a hint", () => hints > before);
    },
    state: (state) => until(`the state ${state}`, () => states.at(-1) === state),
    [Symbol.asyncDispose]: () => watch.close(),
  };
}

Deno.test("DirectoryWatch tells of a file that comes, changes and goes", async () => {
  await using directory = await tempDirectory();
  await using watched = await startWatch(directory.path);
  assertEquals(watched.states, ["watching"]);
  const path = directory.file("a.mjs");
  for (
    const step of [
      () => Deno.writeTextFile(path, "1"),
      () => Deno.writeTextFile(path, "2"),
      () => Deno.rename(path, directory.file("b.mjs")),
      () => Deno.remove(directory.file("b.mjs")),
    ]
  ) {
    const hint = watched.hint();
    await step();
    await hint;
  }
});

for (const name of ["tilde~", "v1.x.swp", ".x.subl1.tmp"]) {
  Deno.test(`DirectoryWatch tells of what is in a folder named as an editor's file: ${name}`, async () => {
    await using directory = await tempDirectory();
    await Deno.mkdir(directory.file(name));
    await using watched = await startWatch(directory.file(name), 60_000);
    const hint = watched.hint();
    await Deno.writeTextFile(join(directory.file(name), "a.mjs"), "1");
    await hint;
  });
}

Deno.test({
  name: "DirectoryWatch polls a folder with a backslash in its path, and says so",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using directory = await tempDirectory();
    await Deno.mkdir(directory.file("a\\b"));
    await using watched = await startWatch(directory.file("a\\b"), 60_000);
    assertEquals(watched.states, ["polling"]);
  },
});

Deno.test("DirectoryWatch tells of a lock that goes, and not of temporary files", async () => {
  await using directory = await tempDirectory();
  await using watched = await startWatch(directory.path, 60_000);
  const before = watched.hints();
  for (let file = 0; file < 100; file++) {
    await Deno.writeTextFile(directory.file(`.temporary${file}`), "");
  }
  const hint = watched.hint();
  await Deno.writeTextFile(directory.file(".pricing_20240101000000.lock"), "");
  await hint;
  // Events come in order, so those of the hundred have been seen; a lock makes two or three.
  assert(watched.hints() - before < 10, `${watched.hints() - before} hints`);
});

Deno.test({
  name: "DirectoryWatch watches anew what is reached by another way, with a link above it",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    const path = directory.file("above", "plugins");
    await Deno.mkdir(path, { recursive: true });
    await using watched = await startWatch(path);
    const begun = watched.states.length;
    await Deno.rename(directory.file("above"), directory.file("other"));
    await Deno.symlink("other", directory.file("above"));
    while (watched.states.length === begun || watched.states.at(-1) !== "watching") {
      await watched.hint();
    }
    const hint = watched.hint();
    await Deno.writeTextFile(join(path, "a.mjs"), "1");
    await hint;
  },
});

Deno.test("DirectoryWatch watches anew what was deleted and made again", async () => {
  await using root = await tempDirectory();
  const path = root.file("plugins");
  await Deno.mkdir(path);
  await using watched = await startWatch(path);
  await Deno.remove(path);
  await watched.state("missing");
  await Deno.mkdir(path);
  await watched.state("watching");
  const hint = watched.hint();
  await Deno.writeTextFile(join(path, "a.mjs"), "");
  await hint;
});

Deno.test("DirectoryWatch watches anew what another directory took the place of", async () => {
  await using root = await tempDirectory();
  const [path, other] = [root.file("plugins"), root.file("other")];
  await Deno.mkdir(path);
  await Deno.mkdir(other);
  await using watched = await startWatch(path);
  await Deno.rename(path, root.file("away"));
  await Deno.rename(other, path);
  while (watched.states.filter((each) => each === "watching").length < 2) {
    await within(10_000, "the second watch", watched.hint());
  }
  const hint = watched.hint();
  await Deno.writeTextFile(join(path, "a.mjs"), "");
  await hint;
});

Deno.test("DirectoryWatch takes a file for an error, and recovers", async () => {
  await using root = await tempDirectory();
  const path = root.file("plugins");
  await Deno.writeTextFile(path, "");
  await using watched = await startWatch(path);
  assertEquals(watched.states, ["error"]);
  await Deno.remove(path);
  await Deno.mkdir(path);
  await watched.state("watching");
});

Deno.test("DirectoryWatch tells nothing once it is closed, and closes at any moment", async () => {
  await using directory = await tempDirectory();
  for (let turns = 0; turns < 20; turns++) {
    let [told, closed] = [0, false];
    const count = (): void => void (closed && told++);
    const watch = new DirectoryWatch(
      directory.path,
      { hint: count, tick: count, state: count },
      HOW,
    );
    const started = watch.start(1);
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    await within(5_000, "closing", watch.close());
    await within(5_000, "starting", started);
    closed = true;
    await watch.close();
    await Deno.writeTextFile(directory.file(`${turns}.mjs`), "");
    await watch.check();
    assert(told === 0, `${told} calls after the close`);
  }
});

/** Watches that do nothing by themselves, in the order in which they were set. */
function fakeWatches(): { readonly all: EventEmitter[]; readonly setWatch: SetWatch } {
  const all: EventEmitter[] = [];
  const setWatch = (): FSWatcher => {
    const watcher = Object.assign(new EventEmitter(), { close: () => Promise.resolve() });
    all.push(watcher);
    return watcher as unknown as FSWatcher;
  };
  return { all, setWatch };
}

Deno.test("DirectoryWatch sets a new watch after an error, and each try is a hint", async () => {
  await using directory = await tempDirectory();
  const { all, setWatch } = fakeWatches();
  const told: string[] = [];
  await using watch = new DirectoryWatch(directory.path, {
    hint: () => void told.push("hint"),
    tick: () => void told.push("tick"),
    state: (state, message) => void told.push(message ? `${state} ${message}` : state),
  }, { ...HOW, setWatch });
  const checking = watch.check();
  while (all.length < 1) await new Promise((resolve) => setImmediate(resolve));
  all[0]?.emit("error", new Error("no watches left"));
  await checking;
  assertEquals(told, ["error Error: no watches left", "hint", "hint"]);

  const again = watch.check();
  while (all.length < 2) await new Promise((resolve) => setImmediate(resolve));
  all[1]?.emit("ready");
  await again;
  assertEquals(told.slice(3), ["watching", "hint"]);
  // It holds: no third one.
  await watch.check();
  assertEquals(all.length, 2);
});

Deno.test("DirectoryWatch can be closed while a watch is being set that never comes up", async () => {
  await using directory = await tempDirectory();
  const { all, setWatch } = fakeWatches();
  const listener = { hint: (): void => {}, tick: (): void => {}, state: (): void => {} };
  const watch = new DirectoryWatch(directory.path, listener, { ...HOW, setWatch });
  const started = watch.start(1_000);
  while (all.length < 1) await new Promise((resolve) => setImmediate(resolve));
  await within(5_000, "closing", watch.close());
  await started;
});
