import { assertEquals, assertStringIncludes } from "@std/assert";
import { basename, join } from "@std/path";
import { formatInfo, type Permissions, signInfo } from "../artifact/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { startDaemon } from "./_cli.ts";
import { type DaemonFixture, makeDaemon } from "./_daemon.ts";
import { assertCode } from "./_errors.ts";
import { testKeys } from "./_signed.ts";
import { beginLoading, type StatePlace, statePlace } from "./_state_place.ts";
import { tempDirectory } from "./_temp.ts";

const SOURCE = "export const quote = () => 1;";

Deno.test("a daemon with trust keys loads what is signed, and tells of the rest once", async () => {
  await using directory = await tempDirectory();
  const { publicKey, signer } = await testKeys();
  await writeArtifact(directory.path, SOURCE, { sign: signer });
  const next = await writeArtifact(directory.path, SOURCE, { scn: SCN + 1 });
  await using fixture = makeDaemon([directory.path], { trust: publicKey, scanInterval: 50 });
  const { daemon, events } = fixture;
  await daemon.start();
  assertEquals(daemon.manager.current("pricing")?.scn, SCN);
  const { final, stack } = await fixture.failed("signature");
  // Nothing of the plugin has run, and so nothing threw in it.
  assertEquals([final, stack], [true, undefined]);
  // A later scan has been made, and has nothing to tell.
  await writeArtifact(directory.path, SOURCE, { name: "other", sign: signer });
  await fixture.loaded("other");
  assertEquals(events.of("failed").length, 1);
  // Signed later, in its place: the file has changed, so it is tried again.
  await Deno.writeTextFile(next.infoPath, formatInfo(await signInfo(next.info, signer)));
  await fixture.loaded("pricing", SCN + 1);
});

Deno.test("a daemon holds a version that asks for more, and its manager lets it in", async () => {
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, SOURCE);
  await using fixture = makeDaemon([directory.path]);
  const { daemon, events } = fixture;
  await daemon.start();
  await writeArtifact(directory.path, SOURCE, { scn: SCN + 1, permissions: { net: true } });
  await events.next((event) => event.type === "skipped" && event.code === "approval-required");
  assertEquals(daemon.manager.pending().map(({ scn, running }) => [scn, running]), [[
    SCN + 1,
    SCN,
  ]]);
  await daemon.manager.approve("pricing");
  await fixture.loaded("pricing", SCN + 1);
  assertEquals(events.of("skipped").length, 1);
  await daemon.scan();
  assertEquals((await fixture.retried(SCN + 1)).outcome, "loaded");
});

Deno.test("what is held stays held over a restart, with a state folder", async () => {
  await using directory = await tempDirectory();
  await using state = await tempDirectory();
  const { publicKey, signer } = await testKeys();
  const options = { trust: publicKey, state: state.path };
  await writeArtifact(directory.path, SOURCE, { sign: signer });
  const held = { scn: SCN + 1, permissions: { net: true }, sign: signer } as const;
  {
    await using fixture = makeDaemon([directory.path], options);
    await fixture.daemon.start();
    await writeArtifact(directory.path, SOURCE, held);
    await fixture.events.next((event) =>
      event.type === "skipped" && event.code === "approval-required"
    );
  }
  await using fixture = makeDaemon([directory.path], options);
  const { daemon, events } = fixture;
  await daemon.start();
  await events.next((event) => event.type === "skipped" && event.code === "approval-required");
  assertEquals(daemon.manager.current("pricing")?.scn, SCN);
  assertEquals((await daemon.approve("pricing")).scn, SCN + 1);
});

/** Where a version waits that asks for more than the current one, which can't be reopened for now. */
interface WaitingPlace extends StatePlace {
  /** Makes that it can be reopened. */
  mend(): Promise<void>;
}

async function whereOneWaits(
  { older, killed = false }: { readonly older?: Permissions; readonly killed?: boolean } = {},
): Promise<WaitingPlace> {
  const at = await statePlace();
  const needed = join(at.state, "..", "needed");
  await Deno.writeTextFile(needed, "");
  if (older) await writeArtifact(at.plugins, SOURCE, { permissions: older });
  await using fixture = await at.start();
  const source = `export const activate = () => void Deno.statSync(${JSON.stringify(needed)});`;
  const { path } = await writeArtifact(at.plugins, source, { scn: SCN + 1 });
  await fixture.loaded("pricing", SCN + 1);
  await writeArtifact(at.plugins, SOURCE, { scn: SCN + 2, permissions: { net: true } });
  await whyHeld(fixture);
  await fixture.daemon.close();
  if (killed) await beginLoading(at.state, path, SCN + 1);
  else await Deno.remove(needed);
  return { ...at, mend: () => Deno.writeTextFile(needed, "") };
}

async function whyHeld({ events }: DaemonFixture, scn = SCN + 2): Promise<string> {
  const held = await events.next((event) =>
    event.type === "skipped" && event.code === "approval-required" && event.scn === scn
  );
  return "message" in held ? String(held.message) : "";
}

function waiting({ daemon }: DaemonFixture): unknown[] {
  return daemon.manager.pending().map(({ scn, running, more }) => [scn, running, more]);
}

const BEFORE = `SCN ${SCN + 1}, which was current, does not`;

Deno.test("what is held stays held over a restart that can't reopen what was current", async () => {
  await using at = await whereOneWaits();
  await using fixture = await at.start();
  const { daemon } = fixture;
  assertStringIncludes(await whyHeld(fixture), BEFORE);
  assertEquals(daemon.manager.names(), []);
  assertEquals(waiting(fixture), [[SCN + 2, undefined, { net: true }]]);
  await at.mend();
  await daemon.scan();
  await fixture.loaded("pricing", SCN + 1);
  assertEquals((await daemon.approve("pricing")).scn, SCN + 2);
});

Deno.test("what is held stays held where what stands in asks for as much", async () => {
  await using at = await whereOneWaits({ older: { net: true } });
  await using fixture = await at.start();
  const { daemon } = fixture;
  assertStringIncludes(await whyHeld(fixture), BEFORE);
  assertEquals(daemon.manager.current("pricing")?.scn, SCN);
  assertEquals(waiting(fixture), [[SCN + 2, SCN, { net: true }]]);
  // What asks for no more than was current is not held; with that the rest is compared then.
  await writeArtifact(at.plugins, SOURCE, { scn: SCN + 3 });
  await fixture.loaded("pricing", SCN + 3);
  await writeArtifact(at.plugins, SOURCE, { scn: SCN + 4, permissions: { net: true } });
  assertStringIncludes(await whyHeld(fixture, SCN + 4), `SCN ${SCN + 3}, which runs, does not`);
});

Deno.test("what is held stays held after a kill, until what was current is tried once more", async () => {
  await using at = await whereOneWaits({ killed: true });
  await using fixture = await at.start();
  assertStringIncludes(await whyHeld(fixture), BEFORE);
  await fixture.loaded("pricing", SCN + 1);
  assertEquals(fixture.events.of("loaded").map(({ scn }) => scn), [SCN + 1]);
});

Deno.test("what is held stays held where a plugin is frozen at what stands in, over a restart", async () => {
  await using at = await whereOneWaits({ older: { net: true } });
  {
    await using fixture = await at.start();
    assertStringIncludes(await whyHeld(fixture), BEFORE);
    await fixture.daemon.freeze("pricing");
  }
  await using fixture = await at.start();
  assertEquals(fixture.daemon.manager.current("pricing")?.scn, SCN);
  await fixture.daemon.thaw("pricing");
  assertStringIncludes(await whyHeld(fixture), BEFORE);
});

Deno.test("what was gone back to is what versions are compared with, in the next process too", async () => {
  await using at = await whereOneWaits({ older: { net: true } });
  {
    await using fixture = await at.start();
    assertStringIncludes(await whyHeld(fixture), BEFORE);
    await writeArtifact(at.plugins, SOURCE, { scn: SCN + 3 });
    await fixture.loaded("pricing", SCN + 3);
    await fixture.daemon.rollback("pricing");
    assertEquals(fixture.daemon.manager.current("pricing")?.scn, SCN);
  }
  await using fixture = await at.start();
  await writeArtifact(at.plugins, SOURCE, { scn: SCN + 4, permissions: { net: true } });
  await fixture.loaded("pricing", SCN + 4);
});

Deno.test("what was current and is signed anew, for more, waits; once approved it is reopened", async () => {
  await using at = await statePlace();
  const [old, next] = [await testKeys(), await testKeys()];
  const { info, infoPath } = await writeArtifact(at.plugins, SOURCE, { sign: old.signer });
  {
    await using _before = await at.start({ trust: old.publicKey });
  }
  const { artifact, ...rest } = info;
  const more = { artifact, ...rest, permissions: { net: true } } as const;
  await Deno.writeTextFile(infoPath, formatInfo(await signInfo(more, next.signer)));
  {
    await using fixture = await at.start({ trust: next.publicKey });
    assertEquals(fixture.daemon.manager.names(), []);
    assertStringIncludes(await whyHeld(fixture, SCN), "did not when it was current");
    assertEquals((await fixture.daemon.approve("pricing")).info?.permissions, { net: true });
  }
  await using after = await at.start({ trust: next.publicKey });
  assertEquals(after.daemon.manager.current("pricing")?.scn, SCN);
});

Deno.test("after a rollback what waits is judged by what runs then, and a scan waits for that", async () => {
  await using at = await statePlace();
  await writeArtifact(at.plugins, SOURCE, { permissions: { net: true } });
  await using fixture = await at.start({ retryMin: 60_000, retryMax: 60_000 });
  const { daemon } = fixture;
  await writeArtifact(at.plugins, SOURCE, { scn: SCN + 1 });
  await fixture.loaded("pricing", SCN + 1);
  await writeArtifact(at.plugins, SOURCE, { scn: SCN + 2, permissions: { net: true } });
  await writeArtifact(at.plugins, SOURCE, { scn: SCN + 3, permissions: { net: true, env: true } });
  await whyHeld(fixture, SCN + 2);
  await whyHeld(fixture, SCN + 3);
  await daemon.rollback("pricing");
  await daemon.scan();
  assertEquals(daemon.manager.current("pricing")?.scn, SCN + 2);
  assertEquals(waiting(fixture), [[SCN + 3, SCN + 2, { env: true }]]);
});

Deno.test("what was approved and does not load is failing, and waits no more", async () => {
  await using at = await statePlace();
  await writeArtifact(at.plugins, SOURCE);
  await using fixture = await at.start({ retryMin: 60_000, retryMax: 60_000 });
  const { daemon } = fixture;
  const bad = "throw new Error('no');";
  await writeArtifact(at.plugins, bad, { scn: SCN + 1, permissions: { net: true } });
  await whyHeld(fixture, SCN + 1);
  await assertCode(daemon.approve("pricing"), "load");
  await daemon.scan();
  const { pending, failing } = daemon.status();
  assertEquals([pending, failing.map(({ scn, code }) => [scn, code])], [[], [[SCN + 1, "load"]]]);
});

Deno.test("what waited, is let in by what loads before it, and fails is told of as such, and waits no more", async () => {
  await using at = await statePlace();
  await writeArtifact(at.plugins, SOURCE);
  await using fixture = await at.start({ retryMin: 60_000, retryMax: 60_000 });
  const { daemon, events } = fixture;
  const permissions = { net: true } as const;
  await writeArtifact(at.plugins, SOURCE, { scn: SCN + 1, permissions });
  const bad = await writeArtifact(at.plugins, "throw new Error('no');", {
    scn: SCN + 2,
    permissions,
  });
  for (const scn of [SCN + 1, SCN + 2]) await whyHeld(fixture, scn);
  await daemon.approve("pricing", SCN + 1);
  await fixture.failed("load");
  assertEquals([waiting(fixture), daemon.status().failing.map(({ scn }) => scn)], [[], [SCN + 2]]);
  await Deno.remove(bad.path);
  await daemon.scan();
  assertEquals((await fixture.retried(SCN + 2)).outcome, "removed");
  assertEquals(events.of("failed").length, 1);
});

Deno.test("what waits is opened within the folder that is watched, once it is approved", async () => {
  await using at = await statePlace();
  await writeArtifact(at.plugins, SOURCE);
  const [data, nested] = [join(at.plugins, ".data"), join(at.plugins, "nested")];
  for (const folder of [data, nested]) await Deno.mkdir(folder);
  await using fixture = await at.start({ recursive: true });
  const next = { scn: SCN + 1, permissions: { net: true } } as const;
  const { path, infoPath } = await writeArtifact(data, SOURCE, next);
  for (const each of [infoPath, path]) {
    await Deno.symlink(join("..", ".data", basename(each)), join(nested, basename(each)));
  }
  await whyHeld(fixture, SCN + 1);
  assertEquals((await fixture.daemon.approve("pricing")).scn, SCN + 1);
});

Deno.test("hotplug daemon --trust loads what is signed and says why the rest is not", async () => {
  await using directory = await tempDirectory();
  await using keys = await tempDirectory();
  const { publicKey, signer } = await testKeys();
  await Deno.writeTextFile(keys.file("a.pub"), publicKey);
  await writeArtifact(directory.path, SOURCE, { sign: signer });
  await writeArtifact(directory.path, SOURCE, { name: "unsigned" });
  await using daemon = startDaemon([directory.path, "--trust", keys.file("a.pub")]);
  const { events } = daemon;
  await events.next((event) => event.type === "ready");
  assertEquals(events.of("loaded").map(({ name }) => name), ["pricing"]);
  assertEquals(events.of("failed").map(({ name, code }) => [name, code]), [[
    "unsigned",
    "signature",
  ]]);
  daemon.kill("SIGTERM");
  assertEquals((await daemon.ended()).code, 0);
});

Deno.test("hotplug daemon --trust with what is no key ends with 1", async () => {
  await using directory = await tempDirectory();
  await using daemon = startDaemon([directory.path, "--trust", directory.file("no.pub")]);
  const { code, stdout } = await daemon.ended();
  assertEquals([code, JSON.parse(stdout).code], [1, "key"]);
});
