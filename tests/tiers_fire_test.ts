import { assert, assertEquals } from "@std/assert";
import { REMOTE_TIERS, tierFixture } from "./_tiers.ts";

const CALLERS = 64;
const SWAPS = 30;

interface Plugin {
  both(): Promise<readonly [number, number]>;
}

function source(generation: number): string {
  return `
    let alive = true;
    export async function both() {
      const before = alive ? ${generation} : -1;
      await new Promise((done) => setTimeout(done, 1));
      return [before, alive ? ${generation} : -1];
    }
    export function deactivate() { alive = false; }`;
}

for (const tier of REMOTE_TIERS) {
  Deno.test(`under fire no call fails and none sees two generations, ${tier}`, async () => {
    await using fixture = await tierFixture({ tier });
    const generations = [await fixture.open(source(0))];
    const plugin = fixture.manager.use<Plugin>("pricing");
    const done = new AbortController();
    let calls = 0;
    const callers = Array.from({ length: CALLERS }, async () => {
      while (!done.signal.aborted) {
        const [before, after] = await plugin.both();
        assert(before >= 0 && before === after, `one call saw ${before} and ${after}`);
        calls++;
      }
    });
    const firing = Promise.all(callers);
    const swapping = (async () => {
      for (let i = 1; i <= SWAPS; i++) generations.push(await fixture.open(source(i)));
    })();
    await Promise.race([swapping, firing]);
    done.abort();
    await firing;
    assert(calls > SWAPS);
    for (const each of generations.slice(0, -1)) {
      assertEquals(await fixture.manager.drained(each).catch(() => true), true);
    }
    const parked = fixture.events.of("parked");
    assertEquals(parked.filter(({ forced }) => forced), []);
    assertEquals(fixture.events.of("failed"), []);
  });
}
