import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { formatInfo, type Permissions } from "../artifact/mod.ts";
import { type ApprovalRule, PluginManager } from "../manager/mod.ts";
import { type ArtifactInit, SCN, writeArtifact, type WrittenArtifact } from "./_artifacts.ts";
import { assertCode, assertThrowsCode } from "./_errors.ts";
import { collectEvents } from "./_events.ts";
import { testKeys } from "./_signed.ts";
import { type TempDirectory, tempDirectory } from "./_temp.ts";

/** Version N of the plugin, which asks for the permissions and answers with N. */
async function version(
  { path }: TempDirectory,
  number: number,
  permissions?: Permissions,
  init: ArtifactInit = {},
): Promise<WrittenArtifact> {
  return await writeArtifact(path, `export const version = () => ${number};`, {
    scn: SCN + number,
    ...(permissions && { permissions }),
    ...init,
  });
}

/** Opens a first version, and has a second one wait for an approval; answers with the path of that. */
async function holdSecond(
  directory: TempDirectory,
  manager: PluginManager,
  permissions: Permissions = { net: true },
): Promise<string> {
  await manager.open((await version(directory, 1)).path);
  const { path } = await version(directory, 2, permissions);
  await assertCode(manager.open(path), "approval-required");
  return path;
}

Deno.test("a version that asks for more than the running one is held until it is approved", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  using events = collectEvents(manager);
  const first = await version(directory, 1, { net: ["example.com"] });
  const second = await version(directory, 2, { net: ["example.com", "example.org"], env: true });
  await manager.open(first.path);
  const error = await assertCode(manager.open(second.path), "approval-required");
  for (
    const part of [second.file, `"example.org"`, "all of env", `approve("pricing", ${SCN + 2})`]
  ) {
    assertStringIncludes(error.message, part);
  }
  assert(!error.message.includes("example.com"), error.message);
  assertEquals(manager.current("pricing")?.scn, SCN + 1);
  const [pending, ...others] = manager.pending();
  assertEquals(others, []);
  const { since, ...rest } = pending ?? { since: "" };
  assertEquals(rest, {
    name: "pricing",
    scn: SCN + 2,
    path: second.path,
    sha256: second.info.artifact.sha256,
    permissions: { env: true, net: ["example.com", "example.org"] },
    more: { env: true, net: ["example.org"] },
    running: SCN + 1,
  });
  assert(Math.abs(Date.parse(since) - Date.now()) < 60_000);
  await assertCode(manager.open(second.path), "approval-required");
  assertEquals(manager.pending()[0]?.since, since);
  const generation = await manager.approve("pricing");
  assertEquals([generation.scn, await generation.call("version")], [SCN + 2, 2]);
  assertEquals(manager.pending(), []);
  const told = events.all.map((event) =>
    "code" in event ? `${event.type} ${event.code}` : event.type
  );
  assertEquals(told, [
    "loaded",
    "skipped approval-required",
    "skipped approval-required",
    "loaded",
  ]);
  await assertCode(manager.approve("pricing"), "not-found");
});

Deno.test("nothing of a held version runs", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  await manager.open((await version(directory, 1)).path);
  const source = "globalThis.hotplugTestHeld = true;";
  const { path } = await writeArtifact(directory.path, source, {
    scn: SCN + 2,
    permissions: { run: ["git"] },
  });
  await assertCode(manager.open(path), "approval-required");
  await assertCode(manager.openNewest(directory.path, "pricing"), "approval-required");
  assertEquals(Reflect.get(globalThis, "hotplugTestHeld"), undefined);
});

Deno.test("a version that asks for as much, less, or part of it is not held", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  const asked: readonly (Permissions | undefined)[] = [
    { net: true, read: ["/srv"], env: ["HOME"] },
    { net: ["example.com"], read: ["/srv/data", "/srv/logs/../data"], env: ["HOME"] },
    { net: ["EXAMPLE.com:443"], read: ["/srv/data/prices/"] },
    {},
    undefined,
  ];
  for (const [index, permissions] of asked.entries()) {
    await manager.open((await version(directory, index, permissions)).path);
  }
  assertEquals(manager.pending(), []);
  // What was given up is asked for anew.
  const again = await version(directory, 9, { net: ["example.com:443"] });
  await assertCode(manager.open(again.path), "approval-required");
});

Deno.test('approval "all" holds first versions too, whatever they ask for; "none" holds nothing', async () => {
  await using directory = await tempDirectory();
  const plain = await version(directory, 1);
  const asking = await version(directory, 2, { run: true });
  for (const [rule, held] of [["all", true], ["more", false], ["none", false]] as const) {
    for (const { path, parts } of [plain, asking]) {
      await using manager = new PluginManager({ approve: rule });
      if (held) {
        await assertCode(manager.open(path), "approval-required");
        assertEquals(manager.pending()[0]?.running, undefined);
        assertEquals((await manager.approve("pricing", parts.scn)).scn, parts.scn);
      } else {
        await manager.open(path);
      }
    }
  }
  await using all = new PluginManager({ approve: "all" });
  await assertCode(all.open(plain.path), "approval-required");
  await all.approve("pricing");
  await assertCode(all.open(asking.path), "approval-required");
  await using none = new PluginManager({ approve: "none" });
  await none.open(plain.path);
  assertEquals((await none.open(asking.path)).scn, SCN + 2);
  assertThrowsCode(() => new PluginManager({ approve: "some" as ApprovalRule }), "options");
});

Deno.test("one of several that wait is approved by its SCN, and an older one is over then", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  await manager.open((await version(directory, 1)).path);
  await manager.open((await version(directory, 1, {}, { name: "other" })).path);
  for (const number of [3, 2, 4]) {
    const { path } = await version(directory, number, { net: [`host${number}`] });
    await assertCode(manager.open(path), "approval-required");
  }
  const { path } = await version(directory, 2, { net: true }, { name: "other" });
  await assertCode(manager.open(path), "approval-required");
  const waiting = (): unknown => manager.pending().map(({ name, scn }) => [name, scn - SCN]);
  assertEquals(waiting(), [["other", 2], ["pricing", 2], ["pricing", 3], ["pricing", 4]]);
  const error = await assertCode(manager.approve("pricing", SCN + 9), "not-found");
  assertStringIncludes(error.message, `No version ${SCN + 9} of plugin "pricing" waits`);
  assertStringIncludes(error.message, `pricing ${SCN + 3}`);
  assertEquals((await manager.approve("pricing", SCN + 3)).scn, SCN + 3);
  assertEquals(waiting(), [["other", 2], ["pricing", 4]]);
  assertEquals((await manager.approve("pricing")).scn, SCN + 4);
  await assertCode(manager.approve("nothing"), "not-found");
});

Deno.test("an approval is for the file that was held, and not for one put in its place", async () => {
  const others: readonly [Permissions, string][] = [
    [{ net: ["example.com"], run: true }, "export const version = () => 2;"],
    [{ net: ["example.com"] }, "export const version = () => 'other';"],
  ];
  for (const [permissions, source] of others) {
    await using directory = await tempDirectory();
    await using manager = new PluginManager();
    await manager.open((await version(directory, 1)).path);
    const { path, infoPath } = await version(directory, 2, { net: ["example.com"] });
    await assertCode(manager.open(path), "approval-required");
    const held = [await Deno.readFile(path), await Deno.readFile(infoPath)] as const;
    await writeArtifact(directory.path, source, { scn: SCN + 2, permissions });
    await assertCode(manager.approve("pricing"), "approval-required");
    assertEquals(manager.pending()[0]?.permissions, permissions);
    await assertCode(manager.open(path), "approval-required");
    // The one that was approved, back in its place.
    await Deno.writeFile(path, held[0]);
    await Deno.writeFile(infoPath, held[1]);
    assertEquals(await (await manager.open(path)).call("version"), 2);
  }
});

Deno.test("an approved version that fails to start stays approved, and can be tried again", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  await manager.open((await version(directory, 1)).path);
  const source = `export function activate() {
    if (globalThis.hotplugTestFails-- > 0) throw new Error("not yet");
  }`;
  Object.assign(globalThis, { hotplugTestFails: 1 });
  const init = { scn: SCN + 2, permissions: { net: true } } as const;
  const { path } = await writeArtifact(directory.path, source, init);
  await assertCode(manager.open(path), "approval-required");
  await assertCode(manager.approve("pricing"), "activation");
  // It waits for no approval any more.
  assertEquals(manager.pending(), []);
  assertEquals((await manager.open(path)).scn, SCN + 2);
  assertEquals(manager.pending(), []);
  Reflect.deleteProperty(globalThis, "hotplugTestFails");
});

Deno.test("what can't be approved since its plugin is frozen waits on, and is not opened later by itself", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  const path = await holdSecond(directory, manager);
  manager.freeze("pricing");
  await assertCode(manager.approve("pricing"), "frozen");
  assertEquals(manager.pending().map(({ scn }) => scn), [SCN + 2]);
  manager.thaw("pricing");
  await assertCode(manager.open(path), "approval-required");
  assertEquals((await manager.approve("pricing")).scn, SCN + 2);
});

Deno.test("a held version whose file is taken away waits no more", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  const path = await holdSecond(directory, manager);
  await Deno.remove(path);
  assertEquals(manager.pending(), []);
  await assertCode(manager.approve("pricing"), "not-found");
});

Deno.test("while the newest is held, an older one that asks for no more is opened", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  await manager.open((await version(directory, 1)).path);
  await version(directory, 2);
  await version(directory, 3, { net: true });
  assertEquals((await manager.openNewest(directory.path, "pricing")).scn, SCN + 2);
  assertEquals(manager.pending().map(({ scn }) => scn), [SCN + 3]);
  assertEquals((await manager.approve("pricing")).scn, SCN + 3);
});

Deno.test("with trust keys it is the signed permissions that count", async () => {
  await using directory = await tempDirectory();
  const { publicKey, signer } = await testKeys();
  await using manager = new PluginManager({ trust: publicKey, approve: "more" });
  await manager.open((await version(directory, 1, undefined, { sign: signer })).path);
  const asking = await version(directory, 2, { net: true }, { sign: signer });
  await assertCode(manager.open(asking.path), "approval-required");
  const { permissions: _, ...modest } = asking.info;
  await Deno.writeTextFile(asking.infoPath, `${JSON.stringify(modest, null, 2)}\n`);
  await assertCode(manager.open(asking.path), "signature");
  await assertCode(manager.approve("pricing"), "signature");
  assertEquals(manager.current("pricing")?.scn, SCN + 1);
});

Deno.test("two approvals at a time, and an open beside them, end with the version loaded", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  const path = await holdSecond(directory, manager);
  const held = manager.open(path).catch(({ code }) => code);
  const results = await Promise.allSettled([
    manager.approve("pricing"),
    manager.approve("pricing"),
  ]);
  await held;
  const codes = results.map((each) =>
    each.status === "rejected" ? each.reason.code : each.value.scn
  );
  assert(codes.every((each) => each === SCN + 2 || each === "outdated"), codes.join());
  assertEquals(manager.current("pricing")?.scn, SCN + 2);
  await manager.close();
  await assertCode(manager.approve("pricing"), "closed");
});

Deno.test("an approval that names the file that was looked at lets no other one in", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  const path = await holdSecond(directory, manager, { net: ["example.com"] });
  const [seen] = manager.pending();
  assert(seen);
  // Another build of the same version, in its place.
  await writeArtifact(directory.path, "export const version = () => 3;", {
    scn: SCN + 2,
    permissions: { net: ["example.com"], run: true },
  });
  await assertCode(manager.open(path), "approval-required");
  const { message } = await assertCode(manager.approve("pricing", seen), "conflict");
  assertStringIncludes(message, `net "example.com"; all of run`);
  assertEquals(manager.current("pricing")?.scn, SCN + 1);
  const [now] = manager.pending();
  assert(now && now.sha256 !== seen.sha256);
  assertEquals((await manager.approve("pricing", now)).scn, SCN + 2);
});

Deno.test("an approval that names the file lets in no more than what was asked for when it was looked at", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  const path = await holdSecond(directory, manager, { net: ["example.com"] });
  const [seen] = manager.pending();
  assert(seen);
  // The same artifact, with another info file.
  await version(directory, 2, { net: ["example.com"], run: true });
  await assertCode(manager.open(path), "approval-required");
  for (const which of [seen, { sha256: seen.sha256 }]) {
    const { message } = await assertCode(manager.approve("pricing", which), "conflict");
    assertStringIncludes(message, "asks for all of run by now");
  }
  for (const between of [undefined, "export const version = () => 3;"]) {
    await Deno.remove(path);
    assertEquals(manager.pending(), []);
    if (between) {
      await writeArtifact(directory.path, between, { scn: SCN + 2, permissions: { env: true } });
      await assertCode(manager.open(path), "approval-required");
    }
    await version(directory, 2, { net: ["example.com"], run: true });
    await assertCode(manager.open(path), "approval-required");
    await assertCode(manager.approve("pricing", { sha256: seen.sha256 }), "conflict");
  }
  assertEquals((await manager.approve("pricing", manager.pending()[0])).scn, SCN + 2);
});

Deno.test("an info file that comes later gives the next version no permission", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager({ bareSettle: 0 });
  await manager.open((await version(directory, 1)).path);
  const { path, infoPath, info } = await version(directory, 2, { net: true }, { info: false });
  await manager.open(path);
  await Deno.writeTextFile(infoPath, formatInfo(info));
  await assertCode(manager.open(path), "outdated");
  assertEquals(manager.current("pricing")?.info?.permissions, { net: true });
  const third = await version(directory, 3, { net: true });
  await assertCode(manager.open(third.path), "approval-required");
});

Deno.test("what is reopened with an info file that asks for more than it did waits for an approval", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  const { path, info } = await version(directory, 1, { net: true });
  const { sha256 } = info.artifact;
  const reopen = { sha256, permissions: {} };
  const { message } = await assertCode(manager.open(path, { reopen }), "approval-required");
  assertStringIncludes(message, "asks for all of net, and did not when it was current");
  assertEquals(manager.pending().map(({ scn, more }) => [scn, more]), [[SCN + 1, { net: true }]]);
  assertEquals((await manager.approve("pricing")).scn, SCN + 1);
  await using other = new PluginManager();
  await other.open(path, { reopen: { sha256, permissions: { net: true } } });
});

Deno.test("a file that needs no approval does not end the waiting of another one of its SCN", async () => {
  await using directory = await tempDirectory();
  await using other = await tempDirectory();
  await using manager = new PluginManager();
  await holdSecond(directory, manager);
  const bad = await writeArtifact(other.path, "throw new Error('no');", { scn: SCN + 2 });
  await assertCode(manager.open(bad.path), "load");
  assertEquals(manager.pending().map(({ scn }) => scn), [SCN + 2]);
  assertEquals((await manager.approve("pricing")).scn, SCN + 2);
});
