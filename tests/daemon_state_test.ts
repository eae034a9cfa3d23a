import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { HotplugError } from "../artifact/mod.ts";
import { defaultStateFolder, PluginDaemon } from "../daemon/mod.ts";
import { generateKeyPair } from "../artifact/mod.ts";
import { type DaemonFixture, makeDaemon, publish } from "./_daemon.ts";
import { beginLoading, type StatePlace, statePlace } from "./_state_place.ts";
import { openFilesIn } from "./_temp.ts";

const [FIRST, SECOND, THIRD] = [20240101000000, 20240101000001, 20240101000002] as const;

function answers(value: number): string {
  return `export const answer = () => ${value};`;
}

async function answerOf({ daemon }: DaemonFixture): Promise<unknown> {
  return await daemon.manager.current("pricing")?.call("answer");
}

async function remove(plugins: string): Promise<void> {
  for await (const { name } of Deno.readDir(plugins)) await Deno.remove(join(plugins, name));
}

/** Its store is away at the start, and comes back: then so does what was current. */
async function assertReopensWithStore(at: StatePlace, scn: number): Promise<void> {
  const store = join(at.state, "store");
  await Deno.rename(store, `${store}.away`);
  await using after = await at.start({ scanInterval: 100 });
  assertEquals(after.daemon.manager.names(), []);
  await Deno.remove(store);
  await Deno.rename(`${store}.away`, store);
  await after.loaded("pricing", scn);
}

/** A daemon that has loaded two versions, one after the other. */
async function startWithTwo({ plugins, start }: StatePlace): Promise<DaemonFixture> {
  await publish(plugins, answers(1), { scn: FIRST });
  const fixture = await start();
  await publish(plugins, answers(2), { scn: SECOND });
  await fixture.loaded("pricing", SECOND);
  return fixture;
}

Deno.test("what was current is back after a restart, though its artifact is gone", async () => {
  await using at = await statePlace();
  await publish(at.plugins, answers(1), { scn: FIRST, gzip: true, sourceMap: "{}" });
  {
    await using before = await at.start();
    assertEquals(await answerOf(before), 1);
  }
  await remove(at.plugins);
  await using after = await at.start({ initialScn: THIRD });
  assertEquals(await answerOf(after), 1);
  assertEquals(after.daemon.status().state, at.state);
  assertEquals(after.events.of("state"), []);
});

Deno.test("after a restart a newer artifact that came meanwhile is loaded", async () => {
  await using at = await statePlace();
  await publish(at.plugins, answers(1), { scn: FIRST });
  (await at.start()).daemon[Symbol.asyncDispose]();
  {
    await using _before = await waitForFree(at);
  }
  await publish(at.plugins, answers(2), { scn: SECOND });
  await using after = await at.start();
  assertEquals(after.events.of("loaded").map(({ scn }) => scn), [FIRST, SECOND]);
});

/** The folder is free once the daemon that is being closed is. */
async function waitForFree(at: StatePlace): Promise<DaemonFixture> {
  for (;;) {
    try {
      return await at.start();
    } catch (error) {
      if (!(error instanceof HotplugError) || error.code !== "state") throw error;
    }
  }
}

Deno.test("nothing older than what was current is loaded where that can't be reopened", async () => {
  await using at = await statePlace();
  {
    await using _before = await startWithTwo(at);
  }
  await remove(at.plugins);
  await Deno.remove(join(at.state, "store"), { recursive: true });
  await publish(at.plugins, answers(9), { scn: FIRST });
  await using after = await at.start();
  assertEquals(after.daemon.manager.names(), []);
  const [told] = after.events.of("state");
  assertEquals([told?.state, told?.name], ["not-reopened", "pricing"]);
  // Released, the older one is as good as any.
  assertEquals(await after.daemon.release("pricing"), true);
  await after.loaded("pricing", FIRST);
  assertEquals(await after.daemon.release("pricing"), false);
});

Deno.test("where what was rolled back to can't be reopened, what was rolled back from is named", async () => {
  await using at = await statePlace();
  {
    await using before = await startWithTwo(at);
    await before.daemon.rollback("pricing");
  }
  await remove(at.plugins);
  await Deno.remove(join(at.state, "store"), { recursive: true });
  await using after = await at.start();
  const [told] = after.events.of("state");
  assertEquals(told?.state, "not-reopened");
  assertStringIncludes(
    told?.message ?? "",
    `was at SCN ${FIRST}, which can't be reopened (io); nothing up to SCN ${SECOND}, which was rolled back`,
  );
});

Deno.test("kept bytes that were changed are not run; what was current before is", async () => {
  await using at = await statePlace();
  {
    await using _before = await startWithTwo(at);
  }
  await remove(at.plugins);
  const store = join(at.state, "store");
  for await (const { name } of Deno.readDir(store)) {
    if (!name.includes(String(SECOND))) continue;
    for await (const file of Deno.readDir(join(store, name))) {
      if (file.name.endsWith(".mjs")) {
        await Deno.writeTextFile(join(store, name, file.name), answers(3));
      }
    }
  }
  await using after = await at.start();
  assertEquals(await answerOf(after), 1);
  assertEquals(after.events.of("failed").map(({ code }) => code), ["integrity"]);
});

Deno.test("what was current is not reopened by a daemon that does not trust it any more", async () => {
  await using at = await statePlace();
  await publish(at.plugins, answers(1), { scn: FIRST });
  (await at.start()).daemon.close();
  {
    await using _closed = await waitForFree(at);
  }
  const { publicKey } = await generateKeyPair();
  await using after = await at.start({ trust: publicKey });
  assertEquals(after.daemon.manager.names(), []);
  assert(after.events.of("failed").every(({ code }) => code === "signature"));
});

Deno.test("a rollback, its hold and a freeze outlive a restart", async () => {
  await using at = await statePlace();
  {
    await using before = await startWithTwo(at);
    await before.daemon.rollback("pricing");
    await before.daemon.freeze("audit");
  }
  {
    await using after = await at.start();
    assertEquals(await answerOf(after), 1);
    const holds = after.daemon.status().plugins.map(({ name, held, frozen }) => [
      name,
      held,
      frozen,
    ]);
    assertEquals(holds, [["audit", undefined, true], ["pricing", SECOND, false]]);
    await publish(at.plugins, answers(3), { scn: THIRD });
    await after.loaded("pricing", THIRD);
    await after.daemon.release("pricing");
    await after.daemon.thaw("audit");
  }
  await using last = await at.start();
  assertEquals(last.daemon.status().plugins.map(({ name, held }) => [name, held]), [
    ["pricing", undefined],
  ]);
});

Deno.test("after a restart a rollback goes to what was current before that", async () => {
  await using at = await statePlace();
  {
    await using _before = await startWithTwo(at);
  }
  await remove(at.plugins);
  {
    await using after = await at.start();
    assertEquals(await answerOf(after), 2);
    assertEquals((await after.daemon.rollback("pricing")).scn, FIRST);
    const [event] = after.events.of("rolled-back");
    assertEquals([event?.from, event?.held, event?.scn], [SECOND, SECOND, FIRST]);
    // Nothing is left to go back to: what was rolled back from is bad.
    await assertRejects(
      () => after.daemon.rollback("pricing"),
      HotplugError,
      "was rolled back from, too",
    );
  }
  await publish(at.plugins, answers(2), { scn: SECOND });
  await using last = await at.start();
  assertEquals(await answerOf(last), 1);
});

Deno.test("after a rollback and a restart one can go further back, as before the restart", async () => {
  await using at = await statePlace();
  {
    await using before = await at.start();
    for (const scn of [FIRST, SECOND, THIRD]) {
      await publish(at.plugins, answers(scn), { scn });
      await before.loaded("pricing", scn);
    }
    assertEquals((await before.daemon.rollback("pricing")).scn, SECOND);
  }
  await remove(at.plugins);
  await using after = await at.start();
  assertEquals(await answerOf(after), SECOND);
  assertEquals((await after.daemon.rollback("pricing")).scn, FIRST);
  assertEquals(after.daemon.status().plugins[0]?.held, THIRD);
});

Deno.test("what was skipped by a rollback is not gone back to after a restart", async () => {
  await using at = await statePlace();
  {
    await using before = await at.start();
    for (const scn of [FIRST, SECOND, THIRD]) {
      await publish(at.plugins, answers(scn), { scn });
      await before.loaded("pricing", scn);
    }
    assertEquals((await before.daemon.rollback("pricing", { to: FIRST })).scn, FIRST);
    // Nor before it: SCN 2 is no version to go back to.
    await assertRejects(() => before.daemon.rollback("pricing"), HotplugError, "is newer, or");
  }
  await remove(at.plugins);
  await using after = await at.start();
  assertEquals(await answerOf(after), FIRST);
  const error = await assertRejects(() => after.daemon.rollback("pricing"), HotplugError);
  assertEquals(error.code, "not-found");
});

Deno.test("a rollback to what can be kept no more says that a restart can't go back to it", async () => {
  await using at = await statePlace();
  await using daemon = await at.start();
  for (const scn of [FIRST, SECOND, THIRD]) {
    await publish(at.plugins, answers(scn), { scn });
    await daemon.loaded("pricing", scn);
    await remove(at.plugins);
    // Resolves once all is written.
    await daemon.daemon.thaw("pricing");
  }
  assertEquals((await daemon.daemon.rollback("pricing")).scn, SECOND);
  const told = daemon.events.of("state").filter(({ state }) => state === "unkept");
  assertEquals(told.length, 1);
  assertMatch(told[0]?.message ?? "", new RegExp(`SCN ${FIRST}.*a restart can't go back to it`));
});

Deno.test("only what is current and what was before is kept", async () => {
  await using at = await statePlace();
  await using daemon = await at.start();
  for (const scn of [FIRST, SECOND, THIRD]) {
    await publish(at.plugins, answers(scn), { scn });
    await daemon.loaded("pricing", scn);
  }
  await daemon.daemon.close();
  const kept = await Array.fromAsync(Deno.readDir(join(at.state, "store")), ({ name }) => name);
  const scns = kept.map((each) => /@(\d+)-/.exec(each)?.[1]).sort();
  assertEquals(scns, [String(SECOND), String(THIRD)]);
});

Deno.test({
  name: "a state folder is private, and one daemon has it at a time",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using at = await statePlace();
    await Deno.mkdir(at.state, { mode: 0o755 });
    await using first = await at.start();
    assertEquals(((await Deno.stat(at.state)).mode ?? 0) & 0o777, 0o700);
    await using second = makeDaemon([at.plugins], { state: at.state });
    const error = await assertRejects(() => second.daemon.start(), HotplugError);
    assertEquals(error.code, "state");
    assert(error.message.includes(`process ${Deno.pid}`), error.message);
    await first.daemon.close();
    await using _third = await at.start();
  },
});

/** A state of one plugin, whose artifact has that name. */
function stateWithFile(file: string): string {
  const current = { scn: FIRST, sha256: "0".repeat(64), file, path: "/nowhere" };
  const holds = { floor: FIRST, held: 0, frozen: false, suspects: [], quarantine: [] };
  return JSON.stringify({ format: 1, plugins: [{ name: "pricing", ...holds, current }] });
}

for (
  const [what, text, why] of [
    ["damaged", "{ not json", "is damaged"],
    ["cut short", `{"format": 1, "plugins": [{"name": "pricing"`, "is damaged"],
    ["of another shape", `{"format": 1, "plugins": [{"name": 1}]}`, "is damaged"],
    ["with a way out of its store", stateWithFile(".."), "is damaged"],
    ["empty", "", "is damaged"],
    ["newer", `{"format": 2, "plugins": {}}`, "newer version"],
  ]
) {
  Deno.test(`state that is ${what} is set aside, and the folders decide`, async () => {
    await using at = await statePlace();
    await publish(at.plugins, answers(1), { scn: FIRST });
    {
      await using before = await at.start();
      await publish(at.plugins, answers(2), { scn: SECOND });
      await before.loaded("pricing", SECOND);
      await before.daemon.rollback("pricing");
    }
    await Deno.writeTextFile(join(at.state, "state.json"), text ?? "");
    {
      await using after = await at.start();
      assertEquals(await answerOf(after), 2);
      const told = after.events.of("state");
      assertEquals(told.map(({ state }) => state), ["lost"]);
      assert(told[0]?.message.includes(why ?? ""), told[0]?.message);
    }
    const aside = await Array.fromAsync(Deno.readDir(at.state), ({ name }) => name);
    const [folder = ""] = aside.filter((name) => name.startsWith("aside-"));
    assertEquals(await Deno.readTextFile(join(at.state, folder, "state.json")), text);
    // Said once: what is there now is whole.
    await using last = await at.start();
    assertEquals(last.events.of("state"), []);
  });
}

Deno.test("a daemon that can't have its state folder watches nothing, though nobody closes it", async () => {
  await using at = await statePlace();
  await using holder = await at.start();
  const daemon = new PluginDaemon({ watch: [at.plugins], state: at.state });
  const error = await assertRejects(() => daemon.start(), HotplugError);
  assertEquals(error.code, "state");
  // A watch or a timer that is left fails this test.
  assertEquals(holder.daemon.status().watch.map(({ state }) => state), ["watching"]);
});

Deno.test("what was loading when the process ended is tried once more, and then kept out", async () => {
  await using at = await statePlace();
  await publish(at.plugins, answers(1), { scn: FIRST });
  const { path } = await publish(at.plugins, answers(2), { scn: SECOND });
  await Deno.mkdir(at.state, { mode: 0o700 });
  await beginLoading(at.state, path, SECOND);
  {
    await using first = await at.start();
    assertEquals(first.events.of("suspected").map(({ scn }) => scn), [SECOND]);
    // It is no worse than others, and comes last.
    assertEquals(first.events.of("loaded").map(({ scn }) => scn), [FIRST, SECOND]);
  }
  await beginLoading(at.state, path, SECOND);
  {
    await using second = await at.start();
    // Not in a row: it had loaded meanwhile.
    assertEquals(second.events.of("quarantined"), []);
    assertEquals(await answerOf(second), 2);
  }
});

Deno.test("what hangs at its trial is tried so after an orderly restart too", async () => {
  await using at = await statePlace();
  await publish(at.plugins, answers(1), { scn: FIRST });
  // In the daemon's own process this would never end.
  const { path } = await publish(at.plugins, "while (true);", { scn: SECOND });
  await Deno.mkdir(at.state, { mode: 0o700 });
  await beginLoading(at.state, path, SECOND);
  for (const told of [[SECOND], []]) {
    await using daemon = await at.start({ loadDeadline: 500, retryMin: 60_000 });
    assertEquals(daemon.events.of("suspected").map(({ scn }) => scn), told);
    const { code } = await daemon.failed("deadline", SECOND);
    assertEquals(code, "deadline");
    assertEquals(await answerOf(daemon), 1);
  }
  {
    await publish(at.plugins, answers(3), { scn: THIRD });
    await using daemon = await at.start({ loadDeadline: 5_000 });
    assertEquals(await answerOf(daemon), 3);
  }
  const { plugins: [record] } = JSON.parse(await Deno.readTextFile(join(at.state, "state.json")));
  assertEquals(record.suspects, []);
});

Deno.test("a scan that is asked for while a daemon starts is part of the start", async () => {
  await using at = await statePlace();
  const { path } = await publish(at.plugins, answers(1), { scn: SECOND });
  await publish(at.plugins, answers(2), { name: "zeta", scn: FIRST });
  await Deno.mkdir(at.state, { mode: 0o700 });
  await beginLoading(at.state, path, SECOND);
  await using fixture = makeDaemon([at.plugins], { state: at.state });
  const started = fixture.daemon.start();
  await fixture.daemon.scan();
  assertEquals(fixture.daemon.status().ready, true);
  await started;
  // What is suspect comes last all the same.
  assertEquals(fixture.events.of("loaded").map(({ name }) => name), ["zeta", "pricing"]);
});

Deno.test("a version found loading twice in a row is in quarantine until it is released", async () => {
  await using at = await statePlace();
  await publish(at.plugins, answers(1), { scn: FIRST });
  const { path } = await publish(at.plugins, answers(2), { scn: SECOND });
  await Deno.mkdir(at.state, { mode: 0o700 });
  for (const _ of [1, 2]) {
    await beginLoading(at.state, path, SECOND);
    // As a process that ends while it is at it: it notes what it found, and does no more.
    const { DaemonState } = await import("../daemon/state/daemon_state.ts");
    const state = await DaemonState.open(at.state, () => {});
    await state.close();
  }
  {
    await using daemon = await at.start();
    assertEquals(await answerOf(daemon), 1);
    assertEquals(daemon.daemon.quarantine().map(({ name, scn }) => [name, scn]), [
      ["pricing", SECOND],
    ]);
    assertEquals(await daemon.daemon.releaseQuarantine("pricing", FIRST), false);
    assertEquals(await daemon.daemon.releaseQuarantine("pricing", SECOND), true);
    await daemon.loaded("pricing", SECOND);
  }
  await using last = await at.start();
  assertEquals(last.daemon.quarantine(), []);
});

Deno.test("the default state folder is one for the same directories in any order", () => {
  const one = defaultStateFolder(["/a", "/b"]);
  assertEquals(one, defaultStateFolder(["/b", "/a", "/b"]));
  assert(one !== defaultStateFolder(["/a"]));
  assert(/[\\/]hotplug[\\/][0-9a-f]{12}$/.test(one), one);
});

Deno.test({
  name: "a state home that is no absolute path does not count",
  ignore: Deno.build.os === "windows",
  fn() {
    const before = Deno.env.get("XDG_STATE_HOME");
    try {
      Deno.env.delete("XDG_STATE_HOME");
      const folder = defaultStateFolder(["/a"]);
      for (const each of ["relative", "./relative", ""]) {
        Deno.env.set("XDG_STATE_HOME", each);
        assertEquals(defaultStateFolder(["/a"]), folder);
      }
    } finally {
      if (before === undefined) Deno.env.delete("XDG_STATE_HOME");
      else Deno.env.set("XDG_STATE_HOME", before);
    }
  },
});

Deno.test("without the option nothing outlives a daemon", async () => {
  await using at = await statePlace();
  await using daemon = new PluginDaemon({ watch: [at.plugins] });
  await daemon.start();
  assertEquals(daemon.status().state, undefined);
});

Deno.test("a daemon notes that the artifact of what is current is gone, once, and keeps it", async () => {
  await using at = await statePlace();
  const { path } = await publish(at.plugins, answers(1), { scn: FIRST });
  await using fixture = await at.start();
  await Deno.remove(path);
  await fixture.events.next(({ type }) => type === "deleted");
  await fixture.daemon.scan();
  // Nor anew, though its folder was away for a while.
  await Deno.rename(at.plugins, `${at.plugins}-away`);
  await fixture.daemon.scan();
  await Deno.rename(`${at.plugins}-away`, at.plugins);
  await fixture.daemon.scan();
  assertEquals(fixture.events.of("deleted").map(({ path }) => path), [path]);
  assertEquals(await answerOf(fixture), 1);
});

Deno.test("what is gone as something newer comes in its place is told where that does not load", async () => {
  await using at = await statePlace();
  const { path } = await publish(at.plugins, answers(1), { scn: FIRST });
  await using fixture = await at.start();
  const { path: second } = await publish(at.plugins, answers(2), { scn: SECOND });
  await Deno.remove(path);
  await fixture.loaded("pricing", SECOND);
  await fixture.daemon.scan();
  assertEquals(fixture.events.of("deleted"), []);
  await publish(at.plugins, "throw new Error('never');", { scn: SECOND + 1 });
  await Deno.remove(second);
  // Each try is a look: once it is late, it is told.
  const looking = setInterval(() => void fixture.daemon.scan(), 100);
  await fixture.events.next(({ type }) => type === "deleted").finally(() => clearInterval(looking));
  assertEquals(fixture.events.of("deleted").map(({ scn }) => scn), [SECOND]);
});

Deno.test("what can't be reopened for a passing reason is reopened once that is over", async () => {
  await using at = await statePlace();
  await publish(at.plugins, answers(1), { scn: FIRST });
  {
    await using _before = await at.start();
  }
  await remove(at.plugins);
  await assertReopensWithStore(at, FIRST);
});

for (const name of ["state.json", "journal", "store"]) {
  Deno.test(`a state folder in which ${name} is of a wrong kind is refused in words`, async () => {
    await using at = await statePlace();
    await Deno.mkdir(at.state, { mode: 0o700 });
    if (name === "store") await Deno.writeTextFile(join(at.state, name), "");
    else await Deno.mkdir(join(at.state, name));
    await using fixture = makeDaemon([at.plugins], { state: at.state });
    const error = await assertRejects(() => fixture.daemon.start(), HotplugError);
    assertEquals(error.code, "state");
    assert(error.message.includes(at.state), error.message);
    // What is to be done is said once.
    assertEquals(error.message.split("remove it").length, 2, error.message);
    assertEquals(await openFilesIn(at.state), []);
  });
}

Deno.test("what is suspect and can't be reopened for a passing reason is tried again too", async () => {
  await using at = await statePlace();
  const { path } = await publish(at.plugins, answers(1), { scn: SECOND });
  {
    await using _before = await at.start();
  }
  await remove(at.plugins);
  await beginLoading(at.state, path, SECOND);
  await assertReopensWithStore(at, SECOND);
});
