import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { HotplugError } from "../artifact/mod.ts";
import { type ManagerOptions, PluginManager } from "../manager/mod.ts";
import { type ArtifactInit, SCN, writeArtifact } from "./_artifacts.ts";
import type { ReloadedOptions } from "../daemon/mod.ts";
import { makeDaemon, publish } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

const SOURCE =
  "export const net = () => Deno.permissions.querySync({ name: 'net', host: 'x.example' }).state;";

/** Opens a version by some settings and another one by others, and rolls back then. */
async function rollbackAfter(
  settings: readonly [ManagerOptions, ManagerOptions],
  artifacts: readonly [ArtifactInit, ArtifactInit],
): Promise<{ readonly code: string; readonly message: string; readonly scn: number | undefined }> {
  await using directory = await tempDirectory();
  await using manager = new PluginManager(settings[0]);
  for (const [index, each] of artifacts.entries()) {
    if (index > 0) manager.reconfigure(settings[1]);
    await manager.open(
      (await writeArtifact(directory.path, SOURCE, { ...each, scn: SCN + index })).path,
    );
  }
  const fault = await manager.rollback("pricing").then(() => undefined, (error) => error);
  return {
    code: fault?.code ?? "",
    message: fault?.message ?? "",
    scn: manager.current("pricing")?.scn,
  };
}

Deno.test("nothing is rolled back to that requires a contract which is not declared any more", async () => {
  const { code, message, scn } = await rollbackAfter(
    [{ contracts: ["tax/1"] }, { contracts: ["tax/2"] }],
    [{ requires: { contract: "tax/1" } }, { requires: { contract: "tax/2" } }],
  );
  assertEquals([code, scn], ["contract", SCN + 1]);
  assertStringIncludes(message, `requires contract "tax/1", this host declares tax/2`);
});

Deno.test("nothing is rolled back to that has permissions in its process which were taken back", async () => {
  const of = (net: readonly string[]): ManagerOptions => ({
    tier: "process",
    permissions: { net },
  });
  const artifact = { permissions: { net: ["x.example", "y.example"] } };
  const less = await rollbackAfter([of(["x.example", "y.example"]), of(["y.example"])], [
    artifact,
    artifact,
  ]);
  assertEquals([less.code, less.scn], ["unsupported", SCN + 1]);
  assertStringIncludes(less.message, "permissions that were taken back since (net)");
  const more = await rollbackAfter([of(["y.example"]), of(["x.example", "y.example"])], [
    artifact,
    artifact,
  ]);
  assertEquals([more.code, more.scn], ["", SCN]);
});

Deno.test("nothing is rolled back to that is less apart from its host than it is to be by now", async () => {
  const { code, message, scn } = await rollbackAfter([{ tier: "inline" }, { tier: "worker" }], [
    {},
    {},
  ]);
  assertEquals([code, scn], ["unsupported", SCN + 1]);
  assertStringIncludes(message, `in tier "inline", and is to run in "worker" by now`);
  assertEquals((await rollbackAfter([{ tier: "worker" }, { tier: "inline" }], [{}, {}])).scn, SCN);
});

Deno.test("a daemon with a state folder goes back to it all the same: by the settings of now", async () => {
  await using directory = await tempDirectory();
  const plugins = directory.file("plugins");
  await Deno.mkdir(plugins);
  const watch = [plugins];
  const reload = (): Promise<ReloadedOptions> => Promise.resolve({ watch, tier: "worker" });
  await using fixture = makeDaemon(watch, { state: directory.file("state"), reload });
  const { daemon } = fixture;
  await publish(plugins, SOURCE, { scn: SCN });
  await daemon.start();
  await daemon.reload();
  await publish(plugins, SOURCE, { scn: SCN + 1 });
  await fixture.loaded("pricing", SCN + 1);
  const { scn, tier } = await daemon.rollback("pricing");
  assertEquals([scn, tier], [SCN, "worker"]);
  assertEquals(daemon.manager.current("pricing")?.scn, SCN);
  assertEquals(daemon.status().plugins[0]?.held, SCN + 1);
});

Deno.test("what fails its probation goes back to it, too: by the settings of now", async () => {
  await using directory = await tempDirectory();
  const plugins = directory.file("plugins");
  await Deno.mkdir(plugins);
  const common = { watch: [plugins], probation: { minCalls: 2 } };
  const reload = (): Promise<ReloadedOptions> => Promise.resolve({ ...common, tier: "worker" });
  const state = directory.file("state");
  await using fixture = makeDaemon(common.watch, { ...common, state, reload });
  const { daemon, events } = fixture;
  await publish(plugins, SOURCE, { scn: SCN });
  await daemon.start();
  await daemon.reload();
  const bad = "export const net = () => { throw new Error('bad'); };";
  await publish(plugins, bad, { scn: SCN + 1 });
  await fixture.loaded("pricing", SCN + 1);
  const { manager } = daemon;
  for (let n = 0; n < 2; n++) await manager.current("pricing")?.call("net").catch(() => {});
  const told = await events.next(({ type }) => type === "rolled-back" || type === "failed");
  assert(told.type === "rolled-back" && told.automatic);
  assertEquals([told.scn, told.from, told.held], [SCN, SCN + 1, SCN + 1]);
  assertEquals(manager.current("pricing")?.tier, "worker");
});

Deno.test("a rollback to what has no bytes any more says so, and where they were", async () => {
  await using directory = await tempDirectory();
  const plugins = directory.file("plugins");
  await Deno.mkdir(plugins);
  const state = directory.file("state");
  await using first = makeDaemon([plugins], { state });
  await first.daemon.start();
  for (const scn of [SCN, SCN + 1]) {
    await publish(plugins, SOURCE, { scn });
    await first.loaded("pricing", scn);
  }
  await first.daemon.close();
  for (const { name } of Deno.readDirSync(join(state, "store"))) {
    if (name.includes(`@${SCN}-`)) Deno.removeSync(join(state, "store", name), { recursive: true });
  }
  for (const { name } of Deno.readDirSync(plugins)) Deno.removeSync(join(plugins, name));
  await using after = makeDaemon([plugins], { state });
  await after.daemon.start();
  const error = await assertRejects(() => after.daemon.rollback("pricing"), HotplugError);
  assertStringIncludes(error.message, `Cannot roll "pricing" back to SCN ${SCN}: its bytes are`);
  assertStringIncludes(error.message, `${plugins}/pricing_`);
});

Deno.test("what was loaded anew by the settings of now goes further back, and not to itself", async () => {
  await using directory = await tempDirectory();
  const plugins = directory.file("plugins");
  await Deno.mkdir(plugins);
  const watch = [plugins];
  const reload = (): Promise<ReloadedOptions> =>
    Promise.resolve({ watch, tier: "worker", retention: { count: 3 } });
  await using fixture = makeDaemon(watch, { state: directory.file("state"), reload });
  const { daemon } = fixture;
  await daemon.start();
  for (const scn of [SCN, SCN + 1, SCN + 2]) {
    if (scn === SCN + 2) await daemon.reload();
    await publish(plugins, SOURCE, { scn });
    await fixture.loaded("pricing", scn);
  }
  for (const to of [SCN + 1, SCN]) {
    const { scn, tier } = await daemon.rollback("pricing");
    assertEquals([scn, tier, daemon.manager.current("pricing")?.scn], [to, "worker", to]);
  }
  const error = await assertRejects(() => daemon.rollback("pricing"), HotplugError);
  assertEquals(error.code, "not-found");
  // All that was rolled back from is held, after a restart as well.
  assertEquals(fixture.events.of("rolled-back").map(({ held }) => held), [SCN + 2, SCN + 2]);
});

Deno.test("a reload names the plugins that require what is not declared any more", async () => {
  await using directory = await tempDirectory();
  const watch = [directory.path];
  const reload = (): Promise<ReloadedOptions> => Promise.resolve({ watch, contracts: ["tax/2"] });
  await using fixture = makeDaemon(watch, { contracts: ["tax/1"], reload });
  await publish(directory.path, SOURCE, { requires: { contract: "tax/1" } });
  await publish(directory.path, SOURCE, { name: "other" });
  await fixture.daemon.start();
  await fixture.daemon.reload();
  assertEquals(fixture.events.of("config").map(({ plugins }) => plugins), [["pricing"]]);
});
