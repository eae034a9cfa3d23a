import { assert, assertEquals } from "@std/assert";
import { scnFromDate, scnToDate } from "../artifact/mod.ts";
import { PluginManager, type Tier } from "../manager/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { collectEvents } from "./_events.ts";
import { tempDirectory } from "./_temp.ts";

const CALLERS = 64;
/** `HOTPLUG_TEST_SWAPS=300` for as many in each tier: that takes a minute on a machine of its own. */
const SWAPS = Number(Deno.env.get("HOTPLUG_TEST_SWAPS") ?? 60);

/** It knows whether it is active, and says so in the middle of a call. */
const source = (version: number): string =>
  `const version = ${version};
   let active = false;
   export const activate = () => { active = true; };
   export const deactivate = () => { active = false; };
   export const answer = async (turns) => {
     if (!active) throw new Error("called when inactive");
     for (let turn = 0; turn < turns; turn++) await new Promise((go) => setTimeout(go, 0));
     if (!active) throw new Error("deactivated in the middle of a call");
     return version;
   };
   export async function* count(to) {
     for (let n = 0; n < to; n++) {
       if (!active) throw new Error("deactivated in the middle of a stream");
       yield version;
     }
   }`;

interface Versioned {
  answer(turns: number): Promise<number>;
  count(to: number): AsyncGenerator<number>;
}

async function write(folder: string, version: number): Promise<string> {
  const scn = scnFromDate(new Date(scnToDate(SCN).getTime() + version * 1000));
  return (await writeArtifact(folder, source(version), { scn })).path;
}

for (const tier of ["inline", "worker", "process"] satisfies Tier[]) {
  Deno.test(`${tier}: under fire no call fails, none sees two generations, and every old one is drained and deactivated`, async () => {
    await using directory = await tempDirectory();
    await using manager = new PluginManager({ tier });
    using events = collectEvents(manager);
    await manager.open(await write(directory.path, 1));
    const plugin = manager.use<Versioned>("pricing");
    let done = false;
    let calls = 0;
    const call = async (caller: number): Promise<void> => {
      let newest = 0;
      while (!done) {
        const versions = caller % 4 === 0
          ? new Set(await Array.fromAsync(plugin.count(caller)))
          : new Set([await plugin.answer(caller % 3)]);
        assert(versions.size <= 1, "a stream saw two generations");
        const [version = newest] = versions;
        assert(version >= newest, "a call went back to an older generation");
        newest = version;
        // Inline nothing else gives the loads a turn.
        if (++calls % 16 === 0) await new Promise((go) => setTimeout(go, 0));
      }
    };
    const callers = Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(caller)));
    callers.catch(() => {});
    try {
      for (let version = 2; version <= SWAPS; version++) {
        await manager.open(await write(directory.path, version));
      }
    } finally {
      done = true;
      await callers;
    }
    await events.next(() => events.of("parked").length === SWAPS - 1, 60_000);
    assertEquals(events.of("parked").every(({ forced }) => !forced), true);
    assertEquals(events.of("failed"), []);
    assertEquals(manager.whoHolds("pricing"), []);
    const kept = tier === "inline" ? SWAPS : 2;
    await events.next(() => events.of("retired").length === SWAPS - kept, 60_000);
    const states = manager.generations("pricing").map(({ state }) => state);
    assertEquals(states, [...Array(kept - 1).fill("parked"), "current"]);
  });
}
