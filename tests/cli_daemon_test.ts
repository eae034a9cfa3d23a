import { assert, assertEquals } from "@std/assert";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { type DaemonProcess, PATIENCE, startDaemon, temporaryIn } from "./_cli.ts";
import { tempDirectory } from "./_temp.ts";

/** Windows has no signals to send; there only ctrl-c of its console ends a process in order. */
const ignore = Deno.build.os === "windows";
/** Well below the ten seconds that a top level is given. */
const SOON = 7_000;

async function ready({ events }: DaemonProcess): Promise<void> {
  await events.next(({ type }) => type === "ready", PATIENCE);
}

/** Its end is in order: by itself, with 0, a last event, and nothing left behind. */
async function assertEndsInOrder(daemon: DaemonProcess, temporary: string): Promise<void> {
  const { code, stderr } = await daemon.ended(SOON);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(daemon.events.all.at(-1)?.type, "stopped");
  assertEquals(await Array.fromAsync(Deno.readDir(temporary)), []);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({ name: `${signal} ends hotplug daemon in order`, ignore, fn: () => endBy(signal) });
}

async function endBy(signal: Deno.Signal): Promise<void> {
  await using directory = await tempDirectory();
  await using temporary = await tempDirectory();
  await writeArtifact(directory.path, "setInterval(() => {}, 1); export const a = 1;");
  await using daemon = startDaemon([directory.path], temporaryIn(temporary.path));
  await ready(daemon);
  daemon.kill(signal);
  await assertEndsInOrder(daemon, temporary.path);
}

Deno.test({
  name: "a signal ends hotplug daemon in order before it is ready, at its first event",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    await using temporary = await tempDirectory();
    await writeArtifact(directory.path, "export const a = 1;");
    await using daemon = startDaemon([directory.path], temporaryIn(temporary.path));
    await daemon.events.next(() => true, PATIENCE);
    daemon.kill("SIGTERM");
    await assertEndsInOrder(daemon, temporary.path);
  },
});

Deno.test({
  name: "a signal ends hotplug daemon soon while the top level of a plugin hangs",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    await using temporary = await tempDirectory();
    await writeArtifact(
      directory.path,
      "console.log('hanging'); setInterval(() => {}, 1000); await new Promise(() => {});",
    );
    await using daemon = startDaemon([directory.path], temporaryIn(temporary.path));
    await daemon.printed("hanging");
    daemon.kill("SIGINT");
    const { code } = await daemon.ended(SOON);
    assertEquals(code, 0);
    assertEquals(daemon.events.of("ready"), []);
    assertEquals(daemon.events.all.at(-1)?.type, "stopped");
  },
});

Deno.test({
  name: "a second signal ends hotplug daemon at once, though a plugin makes its closing hang",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    await writeArtifact(
      directory.path,
      `Deno.addSignalListener("SIGTERM", () => console.log("heard"));
       Deno.exit = () => {};
       setTimeout(() => {
         Promise.all = Promise.allSettled = () => new Promise(() => {});
         console.log("closing hangs");
       }, 1);`,
    );
    await using daemon = startDaemon([directory.path]);
    await daemon.printed("closing hangs");
    daemon.kill("SIGTERM");
    await daemon.printed("heard");
    assertEquals(daemon.events.of("stopped"), []);
    daemon.kill("SIGTERM");
    assertEquals((await daemon.ended(SOON)).code, 1);
  },
});

Deno.test("--initial-scn refuses what is older without a word, and loads what is newer", async () => {
  await using directory = await tempDirectory();
  const floor = SCN + 5;
  const write = (name: string, scn: number) =>
    writeArtifact(directory.path, `export const scn = ${scn};`, { name, scn });
  await write("old", floor - 1);
  await write("equal", floor);
  await write("new", floor + 1);
  await using daemon = startDaemon([directory.path, "--initial-scn", String(floor)]);
  await ready(daemon);
  await write("late", floor - 1);
  await write("later", floor + 1);
  await daemon.events.next((event) => event.type === "loaded" && event.name === "later", PATIENCE);
  const loaded = daemon.events.of("loaded").map(({ name, scn }) => `${name} ${scn - floor}`);
  assertEquals(loaded.toSorted(), ["equal 0", "later 1", "new 1"]);
  const types = new Set(daemon.events.all.map(({ type }) => type));
  assertEquals(types, new Set(["watch", "loaded", "ready"] as const));
});

Deno.test("hotplug daemon waits for directories that are not there yet, each by itself", async () => {
  await using directory = await tempDirectory();
  const [one, two] = [directory.file("one"), directory.file("deep", "two")];
  await using daemon = startDaemon([one, two]);
  await ready(daemon);
  const states = daemon.events.of("watch").map(({ directory, state }) => [directory, state]);
  assertEquals(states.toSorted(), [[two, "missing"], [one, "missing"]].toSorted());
  for (const [folder, name] of [[one, "first"], [two, "second"]] as const) {
    await Deno.mkdir(folder, { recursive: true });
    await writeArtifact(folder, "export const a = 1;", { name });
    await daemon.events.next((event) => event.type === "loaded" && event.name === name, PATIENCE);
    const watching = daemon.events.of("watch").filter(({ state }) => state === "watching");
    assert(watching.some(({ directory }) => directory === folder));
  }
});
