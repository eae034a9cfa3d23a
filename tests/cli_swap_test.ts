import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { PluginDaemon } from "../daemon/mod.ts";
import { infoFileName, parseInfo, sha256, tryParseArtifactName } from "../artifact/mod.ts";
import { PATIENCE, spawnHotplug, startDaemon, temporaryIn, zipPricing } from "./_cli.ts";
import { collectEvents } from "./_events.ts";
import { tempDirectory } from "./_temp.ts";

/** From the publish to the event, in milliseconds. */
const LATENCY = 250;
const KILLS = Number(Deno.env.get("HOTPLUG_TEST_KILLS") ?? 12);

interface Built {
  readonly scn: number;
  readonly path: string;
  readonly infoPath: string;
}

async function buildZip(zip: string, dest: string): Promise<Built> {
  const args = ["build", zip, "--dest", dest, "--name", "pricing", "--json"];
  const { code, stdout, stderr } = await spawnHotplug(args).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("a second hotplug build of a zip is live in hotplug daemon soon after its publish", async () => {
  await using directory = await tempDirectory();
  const [zip, plugins] = [directory.file("pricing.zip"), directory.file("plugins")];
  await zipPricing(zip);
  const first = await buildZip(zip, plugins);
  await using daemon = startDaemon([plugins]);
  await daemon.events.next(({ type }) => type === "ready", PATIENCE);

  await zipPricing(
    zip,
    (source) => source.replace("from: 10, percent: 5", "from: 10, percent: 10"),
  );
  const second = await buildZip(zip, plugins);
  const live = await daemon.events.next(
    (event) => event.type === "loaded" && event.scn === second.scn,
    PATIENCE,
  );
  const loaded = daemon.events.of("loaded").map(({ name, scn, previous }) => [name, scn, previous]);
  assertEquals(loaded, [
    ["pricing", first.scn, undefined],
    ["pricing", second.scn, first.scn],
  ]);
  assert(second.scn > first.scn);
  // What was written last: with it, the artifact is complete.
  const { mtime } = await Deno.stat(second.infoPath);
  const latency = Date.parse(live.time) - Number(mtime);
  assert(latency <= LATENCY, `live ${latency} ms after its publish, not within ${LATENCY}`);
  assertEquals(daemon.events.of("failed"), []);
});

Deno.test({
  name: "builds killed at any moment: the daemon loads whole ones only, and never stops serving",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    const [zip, plugins] = [directory.file("pricing.zip"), directory.file("plugins")];
    const temporary = directory.file("temporary");
    await Deno.mkdir(temporary);
    await zipPricing(zip);
    const first = await buildZip(zip, plugins);

    await using daemon = new PluginDaemon({ watch: [plugins] });
    using events = collectEvents(daemon);
    await daemon.start();
    const caller = callAllTheTime(daemon);
    const killed = await killBuilds(zip, plugins, temporary);
    const last = spawnBuild(zip, plugins, temporary);
    const { code, stdout, stderr } = await last.output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const { scn }: Built = JSON.parse(new TextDecoder().decode(stdout));
    await events.next((event) => event.type === "loaded" && event.scn === scn, PATIENCE);
    const calls = await caller.stop();

    const loaded = events.of("loaded").map((event) => event.scn);
    const what = `${killed} of ${KILLS} builds killed; ${calls} calls; loaded ${loaded.join(", ")}`;
    assert(killed >= KILLS / 4, what);
    assertEquals([loaded.at(0), loaded.at(-1)], [first.scn, scn], what);
    assertEquals(loaded, loaded.toSorted(), what);
    assertEquals([...events.of("failed"), ...events.of("conflict")], [], what);
    for (const generation of daemon.manager.generations("pricing")) {
      assertEquals(await generation.call("quote", ORDER), QUOTE, String(generation.scn));
    }
    const whole = await wholeOnes(plugins);
    for (const each of loaded) assert(whole.includes(each), `${each} was not whole; ${what}`);
    assertEquals(await Array.fromAsync(Deno.readDir(temporary), ({ name }) => name), [], what);
  },
});

const ORDER = { price: "19.99", quantity: 12 };
const QUOTE = { total: "227.89", discount: 5, currency: "EUR" };

/** Calls the newest generation, over and over; `stop` fails if one call did, else counts them. */
function callAllTheTime({ manager }: PluginDaemon): { stop(): Promise<number> } {
  let stopped = false;
  const calling = (async () => {
    let calls = 0;
    for (; !stopped; calls++) {
      using lease = manager.acquire("pricing");
      assertEquals(await lease.call("quote", ORDER), QUOTE);
      await pause(2);
    }
    return calls;
  })();
  // Its failure is for `stop` to tell.
  calling.catch(() => {});
  return {
    stop() {
      stopped = true;
      return calling;
    },
  };
}

/** Kills one build after the other, and counts those that had not ended by then. */
async function killBuilds(zip: string, plugins: string, temporary: string): Promise<number> {
  const began = performance.now();
  const { success } = await spawnBuild(zip, plugins, temporary).output();
  assert(success);
  const duration = performance.now() - began;
  let killed = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const before = await list(plugins);
    const child = spawnBuild(zip, plugins, temporary);
    let ended = false;
    const output = child.output().finally(() => ended = true);
    // Every other one while it publishes, which takes a few milliseconds only.
    const moment = kill % 2 === 0
      ? pause(Math.random() * duration)
      : changed(plugins, before, () => ended).then(() => pause(Math.random() * 10));
    await Promise.race([moment, output]);
    try {
      child.kill("SIGKILL");
    } catch { /* it has ended */ }
    const { signal } = await output;
    await moment;
    if (signal === "SIGKILL") killed++;
  }
  return killed;
}

/** Looks itself: in one process, Deno takes one watch for another's when it closes one. */
async function changed(folder: string, before: string, ended: () => boolean): Promise<void> {
  while (!ended() && await list(folder) === before) await pause(1);
}

async function list(folder: string): Promise<string> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names.sort().join();
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function spawnBuild(zip: string, plugins: string, temporary: string): Deno.ChildProcess {
  const args = ["build", zip, "--dest", plugins, "--name", "pricing", "--no-check", "--json"];
  return spawnHotplug(args, temporaryIn(temporary));
}

/** The SCNs in the folder, all whole: artifact, map and info file agree, and nothing else is there. */
async function wholeOnes(folder: string): Promise<number[]> {
  const files = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  const expected: string[] = [];
  const scns: number[] = [];
  for (const file of files) {
    const name = tryParseArtifactName(file);
    if (!name) continue;
    const { info } = parseInfo(await Deno.readFile(join(folder, infoFileName(name))));
    const map = info.sourceMap?.file ?? "";
    assertEquals(info.artifact.sha256, sha256(await Deno.readFile(join(folder, file))));
    assertEquals(info.sourceMap?.sha256, sha256(await Deno.readFile(join(folder, map))));
    expected.push(file, infoFileName(name), map);
    scns.push(name.scn);
  }
  assertEquals(files.toSorted(), expected.toSorted());
  return scns;
}
