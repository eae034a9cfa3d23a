import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { formatArtifactName, hostTarget, scnFromDate, TARGETS } from "../artifact/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { counted, evaluations, makeDaemon, publish, startDaemon, takeLock } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

const HOST = hostTarget();
const [FOREIGN, OTHER] = TARGETS.filter(({ os, arch }) => os !== HOST.os || arch !== HOST.arch);

Deno.test("What this host's Deno is too old for is told once, with the remedy", async () => {
  await using fixture = await startDaemon();
  await publish(fixture.path, counted("fits", 1));
  await publish(fixture.path, counted("too new", 2), { scn: SCN + 1, version: "2.999.0" });
  await fixture.loaded("pricing", SCN);
  for (let scan = 0; scan < 5; scan++) await fixture.daemon.scan();
  const [skipped, ...more] = fixture.events.of("skipped");
  assertEquals(more, []);
  assertEquals([skipped?.code, skipped?.scn], ["runtime", SCN + 1]);
  assertStringIncludes(skipped?.message ?? "", "upgrade this host's Deno");
  assertEquals(evaluations("too new"), 0);
});

Deno.test("What is skipped is told once, however many newer ones fail after it", async () => {
  await using fixture = await startDaemon({ retryMin: 60_000 });
  await publish(fixture.path, "", { version: "2.999.0" });
  for (let age = 1; age <= 6; age++) {
    await publish(fixture.path, "throw new Error('no database')", { scn: SCN + age });
    await fixture.failed("load", SCN + age);
    await fixture.daemon.scan();
  }
  for (let scan = 0; scan < 3; scan++) await fixture.daemon.scan();
  assertEquals(fixture.events.of("skipped").map(({ scn }) => scn), [SCN]);
});

Deno.test("A skipped artifact that goes and comes back is news again", async () => {
  await using fixture = await startDaemon();
  const init = { version: "2.999.0" };
  const { path } = await publish(fixture.path, counted("comes back", 1), init);
  await fixture.daemon.scan();
  await Deno.remove(path);
  await fixture.daemon.scan();
  await publish(fixture.path, counted("comes back", 1), init);
  await fixture.daemon.scan();
  assertEquals(fixture.events.of("skipped").length, 2);
});

Deno.test("Artifacts for other platforms are no news where one fits", async () => {
  await using fixture = await startDaemon();
  const lock = await takeLock(fixture.path, {});
  for (const target of TARGETS) {
    await writeArtifact(fixture.path, counted(`for ${target.os} ${target.arch}`, 1), { target });
  }
  await Deno.remove(lock);
  const { path } = await fixture.loaded("pricing");
  await fixture.daemon.scan();
  assertEquals(fixture.events.of("skipped"), []);
  assertStringIncludes(path, `_${HOST.os}_${HOST.arch}.mjs`);
});

Deno.test("Artifacts for other platforms are told of, once each, where none fits", async () => {
  await using fixture = await startDaemon();
  const lock = await takeLock(fixture.path, {});
  for (const target of [FOREIGN, OTHER]) await writeArtifact(fixture.path, "", { target });
  await Deno.remove(lock);
  for (let scan = 0; scan < 3; scan++) await fixture.daemon.scan();
  const skipped = fixture.events.of("skipped");
  assertEquals(skipped.map(({ code }) => code), ["platform", "platform"]);
  assertEquals(new Set(skipped.map(({ path }) => path)).size, 2);
});

Deno.test("An exact platform is preferred to any", async () => {
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, counted("portable", 1));
  await writeArtifact(directory.path, counted("exact", 1), { target: HOST });
  await using fixture = makeDaemon([directory.path]);
  await fixture.daemon.start();
  await fixture.daemon.scan();
  assertEquals([evaluations("exact"), evaluations("portable")], [1, 0]);
  assertEquals(fixture.events.of("conflict"), []);
});

Deno.test("Where the exact platform's artifact is broken, that for any of the same SCN serves", async () => {
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, counted("portable instead", 1));
  await writeArtifact(directory.path, "export const = 1;", { target: HOST });
  await using fixture = makeDaemon([directory.path], { bareSettle: 0 });
  await fixture.daemon.start();
  for (let scan = 0; scan < 5; scan++) await fixture.daemon.scan();
  assertEquals(fixture.daemon.manager.current("pricing")?.artifact.os, "any");
  assertEquals(fixture.events.of("failed").map(({ code }) => code), ["syntax"]);
});

Deno.test("An SCN from the future waits until its time comes, and then it loads", async () => {
  await using fixture = await startDaemon({ futureTolerance: 0, scanInterval: 100 });
  const scn = scnFromDate(new Date(Date.now() + 4_000));
  await publish(fixture.path, counted("future", 1), { scn });
  await fixture.daemon.scan();
  assertEquals(evaluations("future"), 0);
  await fixture.loaded("pricing", scn);
  assert(scnFromDate(new Date()) >= scn, "it was loaded before its time");
  const skipped = fixture.events.of("skipped");
  assertEquals(skipped.map(({ code }) => code), ["future"]);
  assertStringIncludes(skipped[0]?.message ?? "", "check both clocks");
});

Deno.test("An executable is told of once, since this host runs modules", async () => {
  await using fixture = await startDaemon();
  const file = formatArtifactName({
    name: "pricing",
    scn: SCN,
    version: "2.0.0",
    ...HOST,
    mode: "executable",
    compression: "none",
  });
  await Deno.writeTextFile(join(fixture.path, file), "");
  for (let scan = 0; scan < 3; scan++) await fixture.daemon.scan();
  assertEquals(fixture.events.of("skipped").map(({ code }) => code), ["unsupported"]);
});

Deno.test("Where the loaded artifact is overwritten, it stays, and the conflict is told once", async () => {
  await using fixture = await startDaemon();
  await publish(fixture.path, counted("kept", "kept"));
  await fixture.loaded("pricing");
  const { path } = await publish(fixture.path, counted("other content", "other"));
  const { code, message } = await fixture.events.next(({ type }) => type === "conflict") as {
    code: string;
    message: string;
  };
  assertEquals(code, "conflict");
  assertStringIncludes(message, "the loaded one stays");
  for (let scan = 0; scan < 5; scan++) await fixture.daemon.scan();
  assertEquals(fixture.events.of("conflict").map((event) => event.path), [path]);
  assertEquals(await fixture.daemon.manager.current("pricing")?.call("answer"), "kept");
  assertEquals(evaluations("other content"), 0);
});

Deno.test("What is a conflict with a parked version is loaded once that has left memory", async () => {
  await using fixture = await startDaemon({ retention: { count: 1 } });
  const { daemon } = fixture;
  for (const version of [1, 3]) {
    await publish(fixture.path, counted("leaves", version), { scn: SCN + version });
    await fixture.loaded("pricing", SCN + version);
    // Parked, but not retired.
    if (version === 1) daemon.manager.acquire("pricing");
  }
  const lease = daemon.manager.acquire("pricing");
  await daemon.rollback("pricing");
  await publish(fixture.path, counted("leaves", "other"), { scn: SCN + 3 });
  await daemon.release("pricing");
  await fixture.events.next(({ type }) => type === "conflict");
  await publish(fixture.path, counted("leaves", 2), { scn: SCN + 2 });
  await fixture.loaded("pricing", SCN + 2);
  for (let scan = 0; scan < 3; scan++) await daemon.scan();
  assertEquals(await daemon.manager.current("pricing")?.call("answer"), 2);
  assertEquals([fixture.events.of("conflict").length, fixture.events.of("retried")], [1, []]);
  lease[Symbol.dispose]();
  assertEquals((await fixture.retried(SCN + 3)).outcome, "loaded");
  assertEquals(await daemon.manager.current("pricing")?.call("answer"), "other");
});

Deno.test("One SCN with two contents in two folders is one conflict, told once", async () => {
  await using first = await tempDirectory();
  await using second = await tempDirectory();
  await writeArtifact(first.path, counted("two folders", "first"));
  await writeArtifact(second.path, counted("two folders", "second"));
  await using fixture = makeDaemon([first.path, second.path], { bareSettle: 0 });
  await fixture.daemon.start();
  for (let scan = 0; scan < 5; scan++) await fixture.daemon.scan();
  assertEquals(fixture.events.of("conflict").map(({ path }) => path?.startsWith(second.path)), [
    true,
  ]);
  assertEquals(evaluations("two folders"), 1);
});

Deno.test("The same artifact in two folders is loaded once, and is no conflict", async () => {
  await using first = await tempDirectory();
  await using second = await tempDirectory();
  for (const { path } of [first, second]) await writeArtifact(path, counted("twice", 1));
  await using fixture = makeDaemon([first.path, second.path], { bareSettle: 0 });
  await fixture.daemon.start();
  for (let scan = 0; scan < 3; scan++) await fixture.daemon.scan();
  assertEquals(evaluations("twice"), 1);
  assertEquals(fixture.events.all.map(({ type }) => type).sort(), [
    "loaded",
    "ready",
    "watch",
    "watch",
  ]);
});

Deno.test("Of two files with one stem and no info file neither is opened, and both are told of", async () => {
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, counted("stem", 1), { info: false });
  await writeArtifact(directory.path, counted("stem", 2), { info: false, gzip: true });
  await using fixture = makeDaemon([directory.path], { bareSettle: 0 });
  await fixture.daemon.start();
  for (let scan = 0; scan < 3; scan++) await fixture.daemon.scan();
  assertEquals(evaluations("stem"), 0);
  assertEquals(fixture.events.of("conflict").length, 2);
});

Deno.test("Of two files with one stem the info file's is opened, and the other keeps quiet", async () => {
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, counted("stem with info", 1), { info: false });
  await writeArtifact(directory.path, counted("stem with info", 2), { gzip: true });
  await using fixture = makeDaemon([directory.path], { bareSettle: 0 });
  await fixture.daemon.start();
  for (let scan = 0; scan < 3; scan++) await fixture.daemon.scan();
  assertEquals(await fixture.daemon.manager.current("pricing")?.call("answer"), 2);
  assert(fixture.events.of("failed").length <= 1);
});

Deno.test("Names that differ only in case are refused in one folder, and what is loaded stays", async () => {
  await using fixture = await startDaemon();
  await publish(fixture.path, counted("case", "kept"));
  await fixture.loaded("pricing");
  await publish(fixture.path, counted("Case", 2), { name: "Pricing", scn: SCN + 1 });
  for (let scan = 0; scan < 3; scan++) await fixture.daemon.scan();
  assertEquals(fixture.events.of("conflict").map(({ name }) => name), ["Pricing"]);
  assertEquals(evaluations("Case"), 0);
  assertEquals(await fixture.daemon.manager.current("pricing")?.call("answer"), "kept");
});

Deno.test("A file that was meant to be an artifact, and is none by its name, is told of once", async () => {
  await using fixture = await startDaemon();
  await publish(fixture.path, counted("well named", 1));
  const slip = join(fixture.path, "pricing_20241301000000_2_9_5_any_any.mjs");
  await Deno.writeTextFile(slip, "");
  await Deno.writeTextFile(join(fixture.path, "notes.mjs"), "");
  await fixture.loaded("pricing", SCN);
  for (let scan = 0; scan < 3; scan++) await fixture.daemon.scan();
  const failed = fixture.events.of("failed");
  assertEquals(failed.map(({ code, path, final }) => [code, path, final]), [["name", slip, true]]);
  assertStringIncludes(failed[0]?.message ?? "", "calendar");
});
