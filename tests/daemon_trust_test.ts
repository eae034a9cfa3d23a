import { assertEquals } from "@std/assert";
import { formatInfo, signInfo } from "../artifact/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { startDaemon } from "./_cli.ts";
import { makeDaemon } from "./_daemon.ts";
import { testKeys } from "./_signed.ts";
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
