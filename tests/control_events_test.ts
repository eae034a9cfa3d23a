import { assert, assertEquals, assertMatch } from "@std/assert";
import type { DaemonEvent } from "../daemon/mod.ts";
import { EventHistory } from "../daemon/control/event_history.ts";
import { type ControlFixture, readEvents, type SentEvent, startControl } from "./_control.ts";
import { runScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

/** Makes as many events as there are names. */
async function freezeAll({ fixture }: ControlFixture, names: readonly string[]): Promise<void> {
  for (const name of names) await fixture.daemon.freeze(name);
}

async function eventsOf(at: ControlFixture, path = "/v1/events", lastId?: string) {
  const headers: Record<string, string> = lastId === undefined ? {} : { "last-event-id": lastId };
  const response = await at.ask("GET", path, { headers });
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  return readEvents(response);
}

function namesOf(events: readonly (SentEvent | undefined)[]): unknown[] {
  return events.map((event) => event?.data.name ?? event?.type);
}

Deno.test("a stream of events tells what happens from then on, and ends with the daemon", async () => {
  await using at = await startControl();
  await freezeAll(at, ["a"]);
  await using events = await eventsOf(at);
  await freezeAll(at, ["b", "c"]);
  assertEquals(namesOf([await events.next(), await events.next()]), ["b", "c"]);
  await at.fixture.daemon.close();
  await at.control.close();
  assertEquals(namesOf(await events.rest()), ["stopped"]);
});

Deno.test("who comes back with the last id is told what came meanwhile, once", async () => {
  await using at = await startControl();
  let lastId: string | undefined;
  {
    await using events = await eventsOf(at);
    await freezeAll(at, ["a", "b"]);
    await events.next();
    lastId = (await events.next())?.id;
  }
  await freezeAll(at, ["c", "d"]);
  await using again = await eventsOf(at, "/v1/events", lastId);
  assertEquals(namesOf([await again.next(), await again.next()]), ["c", "d"]);
  await freezeAll(at, ["e"]);
  assertEquals(namesOf([await again.next()]), ["e"]);
});

Deno.test("who comes back too late is told how many events are gone, and all the others", async () => {
  await using at = await startControl({ history: 3 });
  let lastId: string | undefined;
  {
    await using events = await eventsOf(at);
    await freezeAll(at, ["a"]);
    lastId = (await events.next())?.id;
  }
  await freezeAll(at, ["b", "c", "d", "e", "f"]);
  await using again = await eventsOf(at, "/v1/events", lastId);
  const gap = await again.next();
  assertEquals([gap?.type, gap?.data.reason, gap?.data.lost], ["gap", "overflow", 2]);
  assertEquals(namesOf([await again.next(), await again.next(), await again.next()]), [
    "d",
    "e",
    "f",
  ]);
  // Its id is one to go on after, too.
  await using third = await eventsOf(at, "/v1/events?follow=false", gap?.id);
  assertEquals(namesOf(await third.rest()), ["d", "e", "f"]);
});

Deno.test("an id of another process is told as a restart, with all that this one knows", async () => {
  await using at = await startControl({ history: 2 });
  await freezeAll(at, ["a", "b", "c"]);
  for (const lastId of ["0-1", "nonsense", "-", "x-y-z", `${"9".repeat(400)}-1`]) {
    await using events = await eventsOf(at, "/v1/events?follow=false", lastId);
    const all = await events.rest();
    assertEquals(namesOf(all), ["gap", "b", "c"], lastId);
    assertEquals(all[0]?.data.reason, "restarted");
  }
});

Deno.test("a HEAD request takes no reader's place", async () => {
  await using at = await startControl({ readers: 1 });
  for (let count = 0; count < 5; count++) {
    const response = await at.ask("HEAD", "/v1/events");
    assertEquals(response.status, 200);
    await response.body?.cancel();
  }
  await using events = await eventsOf(at, "/v1/events?last=1000");
  assert(await events.next());
});

Deno.test("how many events may be asked for is said in words", async () => {
  await using at = await startControl();
  for (const last of ["99999999999", "many", "-1"]) {
    const response = await at.ask("GET", `/v1/events?last=${last}`);
    const { code, detail } = await response.json();
    assertEquals([response.status, code], [400, "options"]);
    assertEquals(
      detail,
      '"last" of the query makes no sense: give a whole number, from 0 to 999999999',
    );
  }
});

Deno.test("an id that is ahead of all events waits for what comes", async () => {
  await using at = await startControl();
  await freezeAll(at, ["a"]);
  const [last] = await (await eventsOf(at, "/v1/events?last=1&follow=false")).rest();
  const ahead = last?.id.replace(/\d+$/, "999999");
  await using events = await eventsOf(at, "/v1/events", ahead);
  await freezeAll(at, ["b"]);
  assertEquals(namesOf([await events.next()]), ["b"]);
});

Deno.test("as many of the newest events as asked for come first", async () => {
  await using at = await startControl();
  await freezeAll(at, ["a", "b", "c"]);
  const last = async (count: number) =>
    namesOf(await (await eventsOf(at, `/v1/events?follow=false&last=${count}`)).rest());
  assertEquals(await last(0), []);
  assertEquals(await last(2), ["b", "c"]);
  assertEquals((await last(1_000)).slice(-3), ["a", "b", "c"]);
});

Deno.test("only so many read events at a time, and a place is free once one goes", async () => {
  await using at = await startControl({ readers: 2 });
  const first = await eventsOf(at);
  await using _second = await eventsOf(at);
  const refused = await at.ask("GET", "/v1/events");
  assertEquals([refused.status, (await refused.json()).code], [429, "busy"]);
  await first[Symbol.asyncDispose]();
  let status = 429;
  // That it went is known once the system tells.
  while (status === 429) {
    const response = await at.ask("GET", "/v1/events");
    status = response.status;
    await response.body?.cancel();
  }
  assertEquals(status, 200);
});

Deno.test("a silent stream shows that it is alive", async () => {
  await using at = await startControl({ heartbeat: 20 });
  const { body } = await at.ask("GET", "/v1/events");
  assert(body);
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!/^: hotplug\nid: .*\n\n(:\n\n){2}/.test(text)) text += (await reader.read()).value ?? "";
  assertMatch(text, /^: hotplug\nid: .*\n\n(:\n\n)+$/);
  await reader.cancel();
});

Deno.test("many readers are each told all, in order, the slow one too", async () => {
  await using at = await startControl();
  const readers = await Promise.all(Array.from({ length: 20 }, () => eventsOf(at)));
  const names = Array.from({ length: 300 }, (_, index) => `p${index}`);
  await freezeAll(at, names);
  for (const reader of readers) {
    const told: unknown[] = [];
    while (told.length < names.length) told.push(...namesOf([await reader.next()]));
    assertEquals(told, names);
    await reader[Symbol.asyncDispose]();
  }
});

Deno.test("a history is bounded by what its events weigh, too", () => {
  const listeners: ((event: DaemonEvent) => void)[] = [];
  using history = new EventHistory({
    subscribe(listener) {
      listeners.push(listener);
      return { [Symbol.dispose]: () => {} };
    },
  }, { events: 100, characters: 1_000 });
  const time = new Date(0).toISOString();
  const emit = (name: string) => listeners[0]?.({ type: "frozen", time, name });
  for (let count = 0; count < 50; count++) emit("x".repeat(100));
  const { lost, events } = history.after(0);
  assertEquals(lost + events.length, 50);
  assert(events.length > 3 && events.length < 10, String(events.length));
  emit("y".repeat(10_000));
  assertEquals(history.after(0), { lost: 51, events: [] });
});

Deno.test("a reader that waits for thousands of events leaves nothing of them behind", async () => {
  await using directory = await tempDirectory();
  const script = `
    import { EventHistory } from "project:daemon/control/event_history.ts";
    import { EventStreams } from "project:daemon/control/event_stream.ts";
    let emit = () => {};
    const history = new EventHistory({
      subscribe: (listener) => (emit = listener, { [Symbol.dispose]: () => {} }),
    }, { events: 10 });
    const streams = new EventStreams(history, { epoch: "e", heartbeat: 60_000, readers: 1 });
    const reader = streams.open({ follow: true }).stream.getReader();
    await reader.read();
    const used = async (times) => {
      for (let time = 0; time < times; time++) {
        const read = reader.read();
        // It is waiting by then.
        await new Promise((resolve) => setTimeout(resolve, 0));
        emit({ type: "frozen", time: "", name: "pricing" });
        await read;
      }
      gc();
      return Deno.memoryUsage().heapUsed;
    };
    const before = await used(200);
    console.log(await used(1_000) - before);
    await reader.cancel();`;
  const flags = ["-A", "--v8-flags=--expose-gc"];
  const { code, stdout, stderr } = await runScript(directory.path, script, flags);
  assertEquals(code, 0, stderr);
  assert(Number(stdout) < 5e5, `${stdout} bytes for 1000 events`);
});
