import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { hostTarget } from "../artifact/mod.ts";
import { isPluginOutdated, PluginManager, type PluginOutdatedError } from "../manager/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { assertCode } from "./_errors.ts";
import { collectEvents } from "./_events.ts";
import { tempDirectory } from "./_temp.ts";

async function assertOutdated(promise: Promise<unknown>): Promise<PluginOutdatedError> {
  const error = await assertCode(promise, "outdated");
  assert(isPluginOutdated(error));
  return error;
}

Deno.test("the same file again is outdated, and the error has what is loaded", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, "export {}");
  await using manager = new PluginManager();
  const generation = await manager.open(path);
  const error = await assertOutdated(manager.open(path));
  assertStrictEquals(error.current, generation);
  assertEquals(error.scn, SCN);
  assertEquals(manager.generations("pricing"), [generation]);
});

Deno.test("an older file is outdated before it is looked at", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, "export {}", { scn: SCN + 1 });
  await using manager = new PluginManager();
  const generation = await manager.open(path);
  const nowhere = directory.file("nowhere", `pricing_${SCN}_2_0_0_any_any.mjs`);
  assertStrictEquals((await assertOutdated(manager.open(nowhere))).current, generation);
});

Deno.test("what lies below the initial SCN is outdated before it is looked at", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager({ initialScn: SCN });
  const nowhere = directory.file(`pricing_${SCN - 8870000000}_2_0_0_any_any.mjs`);
  assertEquals((await assertOutdated(manager.open(nowhere))).current, undefined);
  const { path } = await writeArtifact(directory.path, "export {}");
  assertEquals((await manager.open(path)).scn, SCN);
});

Deno.test("the same SCN and target with other bytes is a conflict, and the loaded one stays", async () => {
  await using directory = await tempDirectory();
  await using elsewhere = await tempDirectory();
  const first = await writeArtifact(directory.path, "export const which = () => 1;");
  const second = await writeArtifact(elsewhere.path, "export const which = () => 2;");
  await using manager = new PluginManager();
  using events = collectEvents(manager);
  await manager.open(first.path);
  const error = await assertCode(manager.open(second.path), "conflict");
  assert(!isPluginOutdated(error));
  assertEquals(await manager.current("pricing")?.call("which"), 1);
  assertEquals(events.of("conflict").map((each) => each.path), [second.path]);
});

Deno.test("the same SCN for another target is outdated, whatever its content", async () => {
  await using directory = await tempDirectory();
  const portable = await writeArtifact(directory.path, "export const which = () => 1;");
  const target = hostTarget();
  const same = await writeArtifact(directory.path, "export const which = () => 1;", { target });
  await using manager = new PluginManager();
  await manager.open(portable.path);
  await assertOutdated(manager.open(same.path));
  await writeArtifact(directory.path, "export const which = () => 2;", { target });
  await assertOutdated(manager.open(same.path));
});

Deno.test("the same content packed is outdated, not a conflict", async () => {
  await using directory = await tempDirectory();
  await using elsewhere = await tempDirectory();
  const plain = await writeArtifact(directory.path, "export {}");
  const packed = await writeArtifact(elsewhere.path, "export {}", { gzip: true });
  await using manager = new PluginManager();
  await manager.open(plain.path);
  await assertOutdated(manager.open(packed.path));
});

Deno.test("an info file that comes later completes the generation", async () => {
  await using directory = await tempDirectory();
  const bare = await writeArtifact(directory.path, "export {}", { info: false });
  await using manager = new PluginManager();
  const generation = await manager.open(bare.path);
  assertEquals(generation.info, undefined);
  const { path, info } = await writeArtifact(directory.path, "export {}");
  await assertOutdated(manager.open(path));
  assertEquals(generation.info, info);
});

Deno.test("isPluginOutdated takes nothing else for it", () => {
  for (const other of [undefined, null, "outdated", { code: "outdated" }, new Error("outdated")]) {
    assert(!isPluginOutdated(other));
  }
});

Deno.test("what is not for this host is refused by its name alone", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager({
    runtime: { version: "2.9.5", os: "linux", arch: "amd64" },
  });
  const refusals = [
    ["pricing_20240101000000_2_9_5_windows_arm64.mjs", "platform"],
    ["pricing_20240101000000_2_10_0_any_any.mjs", "runtime"],
    ["pricing_20240101000000_1_9_0_any_any.mjs", "runtime"],
    ["pricing_20240101000000_2_9_5_linux_amd64", "unsupported"],
    ["pricing_99991231235959_2_9_5_any_any.mjs", "future"],
  ] as const;
  for (const [file, code] of refusals) await assertCode(manager.open(directory.file(file)), code);
});

Deno.test("a contract that the host does not declare is refused", async () => {
  await using directory = await tempDirectory();
  const requires = { contract: "pricing/2" };
  const { path } = await writeArtifact(directory.path, "export {}", { requires });
  await using without = new PluginManager({ contracts: ["pricing/1"] });
  await assertCode(without.open(path), "contract");
  await using declared = new PluginManager({ contracts: ["pricing/1", "pricing/2"] });
  assertEquals((await declared.open(path)).info?.requires, requires);
});
