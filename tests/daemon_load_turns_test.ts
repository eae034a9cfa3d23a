import { setImmediate } from "node:timers";
import { assertEquals } from "@std/assert";
import { LoadTurns } from "../daemon/loading/load_turns.ts";

/** Takes so many turns at once; tells which have come, and how to end them. */
function takeTurns(turns: LoadTurns, count: number): (readonly [number, () => void])[] {
  const come: (readonly [number, () => void])[] = [];
  for (let number = 0; number < count; number++) {
    void turns.next(false).then((end) => come.push([number, end]));
  }
  return come;
}

/** Lets all go on that can without waiting for a time. */
async function turnOfTheLoop(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

Deno.test("of loads that come at once 32 begin, and as one ends the next does, in order", async () => {
  const turns = new LoadTurns();
  const come = takeTurns(turns, 100);
  await turnOfTheLoop();
  assertEquals(come.map(([number]) => number), Array.from({ length: 32 }, (_, number) => number));
  for (const [, end] of come.slice(0, 3)) {
    end();
    // Its turn is over once.
    end();
  }
  await turnOfTheLoop();
  assertEquals(come.slice(32).map(([number]) => number), [32, 33, 34]);
  for (let at = 3; at < come.length; at++) {
    come[at]?.[1]();
    await turnOfTheLoop();
  }
  assertEquals(come.length, 100);
});

Deno.test("a load that takes long keeps those that come after it waiting for a while only", async () => {
  const turns = new LoadTurns();
  const come = takeTurns(turns, 32);
  await turnOfTheLoop();
  // None of them ends.
  const end = await turns.next(false);
  end();
  assertEquals(come.length, 32);
  for (const [, each] of come) each();
});

Deno.test("a load of what serves already waits for none that has not begun", async () => {
  const turns = new LoadTurns();
  const come = takeTurns(turns, 100);
  await turnOfTheLoop();
  let has = false;
  void turns.next(true).then(() => has = true);
  come[0]?.[1]();
  await turnOfTheLoop();
  assertEquals([has, come.length], [true, 32]);
  for (let at = 1; at < come.length; at++) {
    come[at]?.[1]();
    await turnOfTheLoop();
  }
  assertEquals(come.length, 100);
});
