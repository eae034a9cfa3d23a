import { assertEquals } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { contextEntry } from "../manager/guards/context_entry.ts";
import { PluginManager } from "../manager/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { runScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

const STORAGE = "hotplug-test-storage";
/** Answers with what it sees of the caller's context, at once and later. */
const SEEING = `
  const storage = globalThis[Symbol.for("${STORAGE}")];
  const key = Symbol.for("${STORAGE}");
  const see = () => [storage.getStore(), Deno.telemetry.contextManager.active().getValue(key)];
  export default {
    async fetch() {
      const seen = see();
      await new Promise((resolve) => setTimeout(resolve));
      return Response.json([seen, see()]);
    },
  };`;

interface Caller {
  readonly storage: AsyncLocalStorage<string>;
  ask(detached: boolean): Promise<unknown>;
}

async function asCaller(guards: boolean, run: (caller: Caller) => Promise<void>): Promise<void> {
  await using directory = await tempDirectory();
  await using manager = new PluginManager({ guards });
  const storage = new AsyncLocalStorage<string>();
  const shared = globalThis as Record<symbol, unknown>;
  shared[Symbol.for(STORAGE)] = storage;
  try {
    await manager.open((await writeArtifact(directory.path, SEEING, { info: false })).path);
    await run({
      storage,
      ask: async (detached) => {
        using lease = manager.acquire("pricing", { detached });
        const answer = await lease.fetch(new Request("http://a/"), { remoteAddr: undefined });
        return await answer.json();
      },
    });
  } finally {
    delete shared[Symbol.for(STORAGE)];
  }
}

for (const guards of [true, false]) {
  const which = guards ? "a guarded" : "an unguarded";
  Deno.test(`${which} plugin that answers sees what its caller has stored, unless the lease is detached`, async () => {
    await asCaller(guards, async ({ storage, ask }) => {
      await storage.run("mine", async () => {
        assertEquals(await ask(false), [["mine", null], ["mine", null]]);
        for (let again = 0; again < 3; again++) {
          assertEquals(await ask(true), [[null, null], [null, null]]);
          assertEquals(storage.getStore(), "mine");
        }
      });
    });
  });
}

Deno.test("the first detached request leaves nothing of its caller's to those after it", async () => {
  await asCaller(true, async ({ storage, ask }) => {
    await storage.run("first", () => ask(true));
    assertEquals(await ask(true), [[null, null], [null, null]]);
    assertEquals(storage.getStore(), undefined);
  });
});

Deno.test("a detached request stays in the span of a trace that is under way", async () => {
  const { contextManager } = Deno.telemetry;
  await asCaller(true, async ({ ask }) => {
    const traced = contextManager.active().setValue(Symbol.for(STORAGE), "span");
    const seen = await contextManager.with(traced, () => ask(true), undefined);
    assertEquals(seen, [[null, "span"], [null, "span"]]);
    assertEquals(await ask(true), [[null, null], [null, null]]);
  });
});

Deno.test("an entry calls in its context, with what it is given, and gives back and throws what comes", () => {
  const storage = new AsyncLocalStorage<string>();
  const entry = contextEntry(storage, "inside");
  const wrong = new Error("wrong");
  storage.run("outside", () => {
    assertEquals(entry((...args) => [storage.getStore(), ...args], 1, 2), ["inside", 1, 2]);
    let thrown: unknown;
    try {
      entry(() => {
        throw wrong;
      });
    } catch (error) {
      thrown = error;
    }
    assertEquals([thrown, storage.getStore()], [wrong, "outside"]);
  });
});

/** Counts how often a context is made. */
class CountedStorage extends AsyncLocalStorage<string> {
  runs = 0;
  override run<R, A extends unknown[]>(store: string, fn: (...args: A) => R, ...args: A): R {
    this.runs++;
    return super.run(store, fn, ...args);
  }
}

Deno.test("an entry makes its context once, however often it is entered", () => {
  const storage = new CountedStorage();
  const entry = contextEntry(storage, "inside");
  for (let times = 0; times < 10; times++) assertEquals(entry(() => storage.getStore()), "inside");
  assertEquals(storage.runs, 1);
});

Deno.test("where an immediate keeps no context, an entry runs in one each time", () => {
  class Forgetful extends CountedStorage {
    #within = 0;
    override run<R, A extends unknown[]>(store: string, fn: (...args: A) => R, ...args: A): R {
      this.#within++;
      try {
        return super.run(store, fn, ...args);
      } finally {
        this.#within--;
      }
    }
    override getStore(): string | undefined {
      return this.#within > 0 ? super.getStore() : undefined;
    }
  }
  const storage = new Forgetful();
  const entry = contextEntry(storage, "inside");
  for (let times = 0; times < 10; times++) assertEquals(entry(() => storage.getStore()), "inside");
  assertEquals(storage.runs, 11);
});

Deno.test("of two generations that answer, the one is blamed that did it, detached or not", async () => {
  await using directory = await tempDirectory();
  const source = `
    const deeds = {
      timer: () => { setTimeout(() => { throw "late"; }); },
      rejection: () => { (async () => { await 0; throw "late"; })(); },
      exit: () => { setTimeout(Deno.exit); },
    };
    export default { fetch: ({ url }) => new Response(deeds[new URL(url).pathname.slice(1)]()) };`;
  const paths: string[] = [];
  for (const scn of [SCN, SCN + 1]) {
    paths.push((await writeArtifact(directory.path, source, { scn, info: false })).path);
  }
  const { code, stdout, stderr } = await runScript(
    directory.path,
    `
    import { PluginManager } from "project:manager/mod.ts";
    const manager = new PluginManager({ guards: true });
    const events = manager.events();
    const leases = [];
    for (const path of ${JSON.stringify(paths)}) {
      await manager.open(path);
      for (const detached of [false, true]) leases.push(manager.acquire("pricing", { detached }));
      await events.next();
    }
    for (const deed of ["timer", "rejection", "exit"]) {
      for (const lease of leases) {
        lease.fetch(new Request("http://a/" + deed), {});
        const { value } = await events.next();
        console.log(deed, value.code, value.scn === lease.scn);
      }
    }
    await manager.close();
    `,
  );
  assertEquals(code, 0, stdout + stderr);
  const told = [["timer", "uncaught"], ["rejection", "uncaught"], ["exit", "exit"]];
  assertEquals(
    stdout.trim().split("\n"),
    told.flatMap(([deed, told]) => Array(4).fill(`${deed} ${told} true`)),
  );
});
