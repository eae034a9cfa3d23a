import { assertEquals, assertStringIncludes } from "@std/assert";
import { formatInfo } from "../artifact/mod.ts";
import type { ReloadedOptions } from "../daemon/mod.ts";
import { PluginManager } from "../manager/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { assertCode } from "./_errors.ts";
import { collectEvents } from "./_events.ts";
import { testKeys } from "./_signed.ts";
import { statePlace } from "./_state_place.ts";
import { tempDirectory } from "./_temp.ts";

const [OLD, NEW] = [await testKeys(), await testKeys()];
const SOURCE = "export const quote = () => 1;";
const THROWS = "export const quote = () => { throw new Error('no rates'); };";

Deno.test("a rollback goes to nothing that only a key has signed that was taken back", async () => {
  await using directory = await tempDirectory();
  const first = await writeArtifact(directory.path, SOURCE, { sign: OLD.signer });
  const second = await writeArtifact(directory.path, SOURCE, { scn: SCN + 1, sign: NEW.signer });
  const both = { trust: [OLD.publicKey, NEW.publicKey] };
  await using manager = new PluginManager(both);
  for (const { path } of [first, second]) await manager.open(path);
  manager.reconfigure({ trust: NEW.publicKey });
  const { message } = await assertCode(manager.rollback("pricing"), "signature");
  assertStringIncludes(message, `Cannot roll "pricing" back to SCN ${SCN}: cannot trust`);
  assertStringIncludes(message, OLD.id);
  await assertCode(manager.rollback("pricing", { to: SCN }), "signature");
  assertEquals(manager.current("pricing")?.scn, SCN + 1);
  assertEquals(manager.isHeld("pricing", SCN + 1), false);
  manager.reconfigure(both);
  assertEquals((await manager.rollback("pricing")).scn, SCN);
});

Deno.test("nor does one that a probation asks for: what fails it serves on, and that is told", async () => {
  await using directory = await tempDirectory();
  const settings = { probation: { minCalls: 1 } };
  const first = await writeArtifact(directory.path, SOURCE, { sign: OLD.signer });
  const second = await writeArtifact(directory.path, THROWS, { scn: SCN + 1, sign: NEW.signer });
  await using manager = new PluginManager({ ...settings, trust: [OLD.publicKey, NEW.publicKey] });
  using events = collectEvents(manager);
  for (const { path } of [first, second]) await manager.open(path);
  manager.reconfigure({ ...settings, trust: NEW.publicKey });
  await manager.use<{ quote(): number }>("pricing").quote().catch(() => {});
  const told = await events.next(({ type }) => type === "failed");
  assertEquals("code" in told && told.code, "signature");
  assertStringIncludes("message" in told ? told.message ?? "" : "", "and serves on");
  assertEquals(manager.current("pricing")?.scn, SCN + 1);
});

Deno.test("what was loaded before there were keys is rolled back to if one of them has signed it", async () => {
  await using directory = await tempDirectory();
  const { path, infoPath, info } = await writeArtifact(directory.path, SOURCE, {
    sign: NEW.signer,
  });
  await using manager = new PluginManager();
  await manager.open(path);
  await manager.open((await writeArtifact(directory.path, SOURCE, { scn: SCN + 1 })).path);
  await manager.open((await writeArtifact(directory.path, SOURCE, { scn: SCN + 2 })).path);
  manager.reconfigure({ trust: NEW.publicKey });
  await assertCode(manager.rollback("pricing"), "signature");
  // By what was read: the files may be gone, or others.
  await Deno.writeTextFile(infoPath, formatInfo(info));
  assertEquals((await manager.rollback("pricing", { to: SCN })).scn, SCN);
});

Deno.test("what can't be reopened for want of its key is told of, and back with the key", async () => {
  await using at = await statePlace();
  let trust = [OLD.publicKey];
  const watch = [at.plugins];
  const reload = (): Promise<ReloadedOptions> => Promise.resolve({ watch, trust });
  const first = await writeArtifact(at.plugins, SOURCE, { sign: OLD.signer });
  {
    await using before = await at.start({ trust });
    await writeArtifact(at.plugins, SOURCE, { scn: SCN + 1, sign: OLD.signer });
    await before.loaded("pricing", SCN + 1);
    await before.daemon.rollback("pricing");
  }
  trust = [NEW.publicKey];
  await using after = await at.start({ trust, reload });
  const { daemon, events } = after;
  const failing = (): unknown[] =>
    daemon.status().failing.map(({ name, scn, code, attempts, path }) => [
      ...[name, scn, code, attempts, path],
    ]);
  assertEquals(daemon.manager.names(), []);
  assertEquals(failing(), [["pricing", SCN, "signature", 1, first.path]]);
  await daemon.reload();
  assertEquals(failing(), [["pricing", SCN, "signature", 2, first.path]]);
  trust = [OLD.publicKey, NEW.publicKey];
  await daemon.reload();
  assertEquals(daemon.manager.current("pricing")?.scn, SCN);
  assertEquals(daemon.manager.isHeld("pricing", SCN + 1), true);
  assertEquals(failing(), []);
  assertEquals(events.of("loaded").map(({ scn }) => scn), [SCN]);
});
