import { assert, assertEquals } from "@std/assert";
import { type ManagerEvent, PluginManager } from "../manager/mod.ts";
import { EventHub } from "../manager/event_hub.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { assertCode } from "./_errors.ts";
import { collectEvents } from "./_events.ts";
import { tempDirectory } from "./_temp.ts";

Deno.test("a load is one event that says what became current", async () => {
  await using directory = await tempDirectory();
  const first = await writeArtifact(directory.path, "export {}");
  const second = await writeArtifact(directory.path, "export {}", { scn: SCN + 1 });
  await using manager = new PluginManager();
  using events = collectEvents(manager);
  await manager.open(first.path);
  await manager.open(second.path);
  const [one, two] = events.of("loaded");
  assertEquals(events.all.length, 2);
  assert(one && two);
  assertEquals([one.name, one.scn, one.path, one.previous], [
    "pricing",
    SCN,
    first.path,
    undefined,
  ]);
  assertEquals([two.scn, two.previous], [SCN + 1, SCN]);
  assertEquals(one.sha256, first.info.content.sha256);
  assert(one.durationMs > 0 && one.durationMs < 10_000);
  assertEquals(new Date(one.time).toISOString(), one.time);
});

Deno.test("every refused open is one event, with code, name, SCN and path", async () => {
  await using directory = await tempDirectory();
  const name = (parts: string): string => directory.file(`pricing_${parts}`);
  await using manager = new PluginManager({ initialScn: SCN });
  const good = await writeArtifact(directory.path, "export {}", { name: "other" });
  await manager.open(good.path);
  const bad = await writeArtifact(directory.path, "import 'npm:left-pad'");
  const refusals: [string, ManagerEvent["type"], string][] = [
    [name("20230101000000_2_0_0_any_any.mjs"), "skipped", "outdated"],
    [name("20240101000000_99_0_0_any_any.mjs"), "skipped", "runtime"],
    [name("99991231235959_2_0_0_any_any.mjs"), "skipped", "future"],
    [name("20240102000000_2_0_0_any_any.mjs"), "failed", "io"],
    [bad.path, "failed", "imports"],
    [good.path, "skipped", "outdated"],
    [directory.file("rubbish.mjs"), "failed", "name"],
  ];
  for (const [path, type, code] of refusals) {
    using events = collectEvents(manager);
    const error = await assertCode(manager.open(path), code as "io");
    assertEquals(events.all.length, 1, path);
    const [event] = events.all;
    assert(event && event.type !== "loaded" && "code" in event);
    assertEquals([event.type, event.code, event.path], [type, code, path]);
    assertEquals(event.message, error.message);
    if (code !== "name") assert(event.scn !== undefined && event.name !== undefined);
  }
});

Deno.test("an event says whether another try of the same file makes sense", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  using events = collectEvents(manager);
  const sources: [string, boolean][] = [
    ["import 'npm:left-pad'", true],
    ["export const = 1", true],
    ["export const a = 1; const a = 2;", true],
    ["throw new Error('the database is away')", false],
    ["export const activate = () => { throw new Error('not now'); }", false],
  ];
  for (const [index, [source, final]] of sources.entries()) {
    const { path } = await writeArtifact(directory.path, source, { scn: SCN + index });
    await manager.open(path).catch(() => {});
    assertEquals(events.of("failed").at(-1)?.final, final, source);
  }
  await manager.open(directory.file(`pricing_${SCN + 50}_2_0_0_any_any.mjs`)).catch(() => {});
  assertEquals(events.of("failed").at(-1)?.final, false);
});

Deno.test("events survive JSON as they are", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  using events = collectEvents(manager);
  const sources = [
    "export {}",
    "throw { toString() { throw 1; }, toJSON() { throw 1; }, [Symbol.for('Deno.customInspect')]() { throw 1; } }",
    "throw 1n",
    "const loop = new Error('\\u0000\\ud800'); loop.cause = loop; throw loop;",
  ];
  for (const [index, source] of sources.entries()) {
    const { path } = await writeArtifact(directory.path, source, { scn: SCN + index });
    await manager.open(path).catch(() => {});
  }
  assertEquals(events.all.length, sources.length);
  for (const event of events.all) {
    assertEquals(JSON.parse(JSON.stringify(event)), event);
  }
});

Deno.test("the iterator gives all events from its making on, and ends with the manager", async () => {
  await using directory = await tempDirectory();
  const files = await Promise.all(
    [0, 1, 2].map((n) => writeArtifact(directory.path, "export {}", { scn: SCN + n })),
  );
  const manager = new PluginManager();
  const events = manager.events();
  for (const { path } of files) await manager.open(path);
  await manager.close();
  const scns = [];
  for await (const event of events) if (event.type === "loaded") scns.push(event.scn);
  assertEquals(scns, [SCN, SCN + 1, SCN + 2]);
  assertEquals(await Array.fromAsync(manager.events()), []);
});

Deno.test("an iterator that is left hears nothing any more", async () => {
  const hub = new EventHub<number>();
  const events = hub.events();
  hub.emit(1);
  hub.emit(2);
  for await (const event of events) {
    assertEquals(event, 1);
    break;
  }
  hub.emit(3);
  assertEquals(await events.next(), { done: true, value: undefined });
  hub.close();
});

Deno.test("readers that wait at the same time get an event each", async () => {
  const hub = new EventHub<number>();
  const events = hub.events();
  const reads = [events.next(), events.next(), events.next()];
  hub.emit(1);
  hub.emit(2);
  hub.close();
  const read = await Promise.all(reads);
  assertEquals(read.map((each) => each.done ? "done" : each.value), [1, 2, "done"]);
});

Deno.test("a listener that throws keeps none from hearing, and its error is not swallowed", async () => {
  const hub = new EventHub<string>();
  const heard: string[] = [];
  const thrown = Promise.withResolvers<unknown>();
  const onError = (event: ErrorEvent): void => {
    event.preventDefault();
    thrown.resolve(event.error);
  };
  addEventListener("error", onError);
  try {
    hub.subscribe(() => {
      throw new RangeError("bad listener");
    });
    hub.subscribe((event) => heard.push(event));
    hub.emit("one");
    assertEquals(heard, ["one"]);
    assert(await thrown.promise instanceof RangeError);
  } finally {
    removeEventListener("error", onError);
  }
});

Deno.test("a subscription ends when it is disposed of, each for itself", () => {
  const hub = new EventHub<number>();
  const heard: number[] = [];
  const listener = (event: number): void => void heard.push(event);
  const first = hub.subscribe(listener);
  using _second = hub.subscribe(listener);
  hub.emit(1);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  hub.emit(2);
  assertEquals(heard, [1, 1, 2]);
  hub.close();
  hub.emit(3);
  hub.subscribe(listener);
  hub.emit(4);
  assertEquals(heard, [1, 1, 2]);
});
