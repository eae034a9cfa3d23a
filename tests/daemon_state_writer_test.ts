import { assert, assertEquals } from "@std/assert";
import { StateWriter } from "../daemon/state/state_writer.ts";
import { assertCode } from "./_errors.ts";

/** A writer whose writes end when they are let. */
function held() {
  const writes: PromiseWithResolvers<boolean>[] = [];
  const begun: PromiseWithResolvers<void>[] = [Promise.withResolvers()];
  const writer = new StateWriter("state", () => {
    const write = Promise.withResolvers<boolean>();
    writes.push(write);
    begun.at(-1)?.resolve();
    begun.push(Promise.withResolvers());
    return write.promise;
  }, () => {});
  return { writer, writes, began: (count: number) => begun[count - 1]?.promise };
}

Deno.test("what is to be saved is, however many changes follow it", async () => {
  const { writer, writes, began } = held();
  writer.changed();
  const first = writer.saved();
  await began(1);
  // It comes too late for the first write, and further ones follow without end.
  writer.changed();
  let isSaved = false;
  const second = writer.saved().then(() => isSaved = true);
  writes[0]?.resolve(true);
  await first;
  await began(2);
  writer.changed();
  assertEquals(isSaved, false);
  writes[1]?.resolve(true);
  await second;
  assert(!writer.isWritten);
  await began(3);
  writes[2]?.resolve(true);
  await writer.close();
  assertEquals([writes.length, writer.isWritten], [3, true]);
});

Deno.test("what was to be saved while a write fails has failed as well, and is tried again", async () => {
  const { writer, writes, began } = held();
  writer.changed();
  const first = assertCode(writer.saved(), "state");
  await began(1);
  writer.changed();
  const second = assertCode(writer.saved(), "state");
  writes[0]?.reject(new Error("no space"));
  await Promise.all([first, second]);
  assert(!writer.isWritten);
  const third = writer.saved();
  await began(2);
  writes[1]?.resolve(true);
  await third;
  await writer.close();
  assertEquals([writes.length, writer.isWritten], [2, true]);
});

Deno.test("what is asked for while the last write goes on at the close waits for its own, and is no other run", async () => {
  const { writer, writes, began } = held();
  writer.changed();
  const first = assertCode(writer.saved(), "state");
  await began(1);
  writes[0]?.reject(new Error("no space"));
  await first;
  const closed = writer.close();
  await began(2);
  const saved: string[] = [];
  const early = writer.saved().then(() => saved.push("early"));
  writer.changed();
  const late = writer.saved().then(() => saved.push("late"));
  writes[1]?.resolve(true);
  await early;
  await began(3);
  assertEquals([saved, writes.length], [["early"], 3]);
  writes[2]?.resolve(true);
  await Promise.all([late, closed]);
  writer.changed();
  await assertCode(writer.saved(), "closed");
  assertEquals(writes.length, 3);
});
