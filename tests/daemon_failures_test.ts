import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { basename, join } from "@std/path";
import { SCN, writeArtifact } from "./_artifacts.ts";
import {
  counted,
  evaluations,
  makeDaemon,
  makeHang,
  publish,
  startDaemon,
  takeLock,
  within,
} from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

const BROKEN = "export const answer = ;";

/** A module that throws until the file is there. */
function throwingUntil(flag: string, tag: string): string {
  return `${counted(tag, tag)}
    await Deno.stat(${JSON.stringify(flag)}).catch(() => { throw new Error("not yet"); });`;
}

Deno.test("Where the newest is broken, the next older one that loads serves", async () => {
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, counted("down 1", 1));
  await writeArtifact(directory.path, counted("down 2", 2), { scn: SCN + 1 });
  await writeArtifact(directory.path, "throw new Error('down 3')", { scn: SCN + 2 });
  await writeArtifact(directory.path, BROKEN, { scn: SCN + 3 });
  await using fixture = makeDaemon([directory.path], { retryMin: 60_000 });
  await fixture.daemon.start();

  assertEquals(fixture.daemon.manager.current("pricing")?.scn, SCN + 1);
  const failures = fixture.events.of("failed").map(({ scn, code, final }) => [scn, code, final]);
  assertEquals(failures, [[SCN + 3, "syntax", true], [SCN + 2, "load", false]]);
  assertEquals(evaluations("down 1"), 0);
});

Deno.test({
  name: "A link that leads nowhere is told of, and its artifact loads once it is there",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using fixture = await startDaemon();
    await using elsewhere = await tempDirectory();
    const { path } = await publish(elsewhere.path, counted("behind a link", 1));
    const link = join(fixture.path, basename(path));
    const stored = join(fixture.path, ".stored");
    await Deno.symlink(".stored", link);
    const { message } = await fixture.failed("io", SCN);
    assertStringIncludes(message, link);
    for (let scan = 0; scan < 3; scan++) await fixture.daemon.scan();
    assertEquals(fixture.events.of("failed").length, 1);
    assertEquals(fixture.daemon.status().failing.map((each) => each.path), [link]);
    await Deno.copyFile(path, stored);
    await fixture.daemon.scan();
    await fixture.loaded("pricing", SCN);
    assertEquals(fixture.daemon.status().failing, []);
  },
});

Deno.test("What fails for good is told once, however often the folder is looked at", async () => {
  await using fixture = await startDaemon();
  await publish(fixture.path, counted("once", 1));
  await publish(fixture.path, BROKEN, { scn: SCN + 1 });
  await fixture.failed("syntax");
  for (let scan = 0; scan < 20; scan++) await fixture.daemon.scan();
  assertEquals(fixture.events.of("failed").length, 1);
  assertEquals(fixture.events.of("retried"), []);
  assertEquals(fixture.daemon.manager.current("pricing")?.scn, SCN);
});

Deno.test("What failed for good is tried again once its files are replaced", async () => {
  await using fixture = await startDaemon({ bareSettle: 60_000 });
  const { path, infoPath } = await publish(fixture.path, BROKEN);
  await fixture.failed("syntax");

  await using elsewhere = await tempDirectory();
  const fixed = await writeArtifact(elsewhere.path, counted("replaced", 1));
  const lock = await takeLock(fixture.path, {});
  await Deno.copyFile(fixed.path, fixture.path + "/.new");
  await Deno.rename(fixture.path + "/.new", path);
  await Deno.copyFile(fixed.infoPath, fixture.path + "/.new");
  await Deno.rename(fixture.path + "/.new", infoPath);
  await Deno.remove(lock);
  await fixture.loaded("pricing");
  assertEquals(fixture.events.of("failed").length, 1);
});

Deno.test("What failed and is written to in place is tried again when it stood still", async () => {
  await using fixture = await startDaemon({ bareSettle: 1_200 });
  const good = counted("in place", "whole");
  await using elsewhere = await tempDirectory();
  const { infoPath, path } = await writeArtifact(elsewhere.path, good);
  // As a careless copy does: the info file is there first, and the artifact grows.
  await Deno.copyFile(infoPath, infoPath.replace(elsewhere.path, fixture.path));
  using file = await Deno.open(path.replace(elsewhere.path, fixture.path), {
    createNew: true,
    write: true,
  });
  for (const piece of good.match(/[^]{1,40}/g) ?? []) {
    await file.write(new TextEncoder().encode(piece));
    await fixture.daemon.scan();
  }
  await fixture.loaded("pricing");
  assertEquals(fixture.events.of("failed").map(({ code }) => code), ["integrity"]);
});

Deno.test("What fails for a passing reason is tried until it loads: one event first, one last", async () => {
  await using fixture = await startDaemon();
  await using elsewhere = await tempDirectory();
  const flag = elsewhere.file("flag");
  await publish(fixture.path, counted("serves meanwhile", 1));
  await fixture.loaded("pricing");
  const { path } = await publish(fixture.path, throwingUntil(flag, "passing"), { scn: SCN + 1 });
  const failed = await fixture.failed("load");
  assertEquals([failed.final, failed.path], [false, path]);
  // Scans between the tries are no tries.
  for (let scan = 0; scan < 5; scan++) await fixture.daemon.scan();

  await Deno.writeTextFile(flag, "");
  const retried = await fixture.retried(SCN + 1);
  assertEquals([retried.outcome, retried.code, retried.path], ["loaded", "load", path]);
  assertEquals(retried.attempts, evaluations("passing"));
  assert(retried.attempts >= 2, `${retried.attempts} attempts`);
  await fixture.loaded("pricing", SCN + 1);
  assertEquals(fixture.events.of("failed").length, 1);
  assertEquals(fixture.events.of("retried").length, 1);
});

Deno.test("The pauses between tries grow, so that a scan is no try", async () => {
  await using fixture = await startDaemon({ retryMin: 60_000 });
  await publish(fixture.path, throwingUntil("/there/is/no/such/file", "backing off"));
  await fixture.failed("load");
  for (let scan = 0; scan < 5; scan++) await fixture.daemon.scan();
  assertEquals(evaluations("backing off"), 1);
});

Deno.test("A clock that is set back puts no try off", async () => {
  await using fixture = await startDaemon({ retryMin: 500 });
  const flag = `${fixture.path}/.flag`;
  await publish(fixture.path, throwingUntil(flag, "set back"));
  await fixture.failed("load");
  await fixture.daemon.scan();
  const { now } = Date;
  try {
    Date.now = () => now() - 24 * 60 * 60 * 1000;
    await Deno.writeTextFile(flag, "");
    await fixture.retried(SCN);
  } finally {
    Date.now = now;
  }
});

Deno.test("Retries end when a newer one loads, and it is told", async () => {
  await using fixture = await startDaemon({ retryMin: 60_000 });
  await publish(fixture.path, throwingUntil("/there/is/no/such/file", "superseded"));
  await fixture.failed("load");
  await publish(fixture.path, counted("supersedes", 1), { scn: SCN + 1 });
  const { outcome, attempts } = await fixture.retried(SCN);
  assertEquals([outcome, attempts], ["superseded", 1]);
});

Deno.test("Retries end when the artifact is removed, and it is told", async () => {
  await using fixture = await startDaemon({ retryMin: 60_000 });
  const written = await publish(fixture.path, throwingUntil("/there/is/no/such/file", "removed"));
  await fixture.failed("load");
  await Deno.remove(written.path);
  assertEquals((await fixture.retried(SCN)).outcome, "removed");
});

Deno.test("Retries end when its plugin is frozen, and it is told", async () => {
  await using fixture = await startDaemon({ retryMin: 60_000 });
  await publish(fixture.path, counted("is frozen at", 1));
  await fixture.loaded("pricing", SCN);
  const newer = throwingUntil("/there/is/no/such/file", "frozen out");
  await publish(fixture.path, newer, { scn: SCN + 1 });
  await fixture.failed("load");
  fixture.daemon.manager.freeze("pricing");
  await fixture.daemon.scan();
  assertEquals((await fixture.retried(SCN + 1)).outcome, "held");
});

Deno.test("An artifact that fails anew after it was replaced is news again", async () => {
  await using fixture = await startDaemon({ bareSettle: 0 });
  await publish(fixture.path, BROKEN, { info: false });
  await fixture.failed("syntax");
  await publish(fixture.path, BROKEN + "//", { info: false });
  await fixture.events.next(() => fixture.events.of("failed").length === 2);
});

Deno.test("A plugin that hangs at its load delays no other plugin", async () => {
  await using hang = makeHang();
  await using fixture = await startDaemon({ loadDeadline: 60_000 });
  await publish(fixture.path, hang.source, { name: "hanging" });
  await hang.entered;
  await publish(fixture.path, counted("prompt", 1), { name: "prompt" });
  await fixture.loaded("prompt");
  await publish(fixture.path, counted("prompt", 2), { name: "prompt", scn: SCN + 1 });
  await fixture.loaded("prompt", SCN + 1);
  assertEquals(fixture.events.of("failed"), []);
});

Deno.test("A top level that never settles fails at the deadline, and what is older serves", async () => {
  await using hang = makeHang();
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, counted("older than the hang", 1));
  await writeArtifact(directory.path, hang.source, { scn: SCN + 1 });
  await using fixture = makeDaemon([directory.path], { loadDeadline: 100, retryMin: 60_000 });
  await within(5_000, "the start", fixture.daemon.start());
  assertEquals((await fixture.failed("deadline")).scn, SCN + 1);
  assertEquals(fixture.daemon.manager.current("pricing")?.scn, SCN);
});

Deno.test("An activation that fails is tried again, and the older one serves until it succeeds", async () => {
  await using fixture = await startDaemon();
  await publish(fixture.path, counted("before activation", 1));
  await fixture.loaded("pricing");
  await publish(
    fixture.path,
    `globalThis.activationTries ??= 0;
     export function activate() {
       if (++globalThis.activationTries < 3) throw new Error("not yet");
     }`,
    { scn: SCN + 1 },
  );
  await fixture.failed("activation", SCN + 1);
  assertEquals(fixture.daemon.manager.current("pricing")?.scn, SCN);
  const { attempts, outcome, code } = await fixture.retried(SCN + 1);
  assertEquals([attempts, outcome, code], [3, "loaded", "activation"]);
  assertEquals(fixture.events.of("failed").length, 1);
});

Deno.test("A newer artifact does not wait for the deadline of an older one that hangs", async () => {
  await using hang = makeHang();
  await using fixture = await startDaemon({ loadDeadline: 60_000, retryMin: 60_000 });
  await publish(fixture.path, hang.source);
  await hang.entered;
  await publish(fixture.path, counted("after the hang", 1), { scn: SCN + 1 });
  await fixture.loaded("pricing", SCN + 1);
  assertEquals((await fixture.failed("deadline")).scn, SCN);
  assertEquals((await fixture.retried(SCN)).outcome, "superseded");
});

Deno.test("A newer artifact does not wait for an activation that hangs", async () => {
  const activating = Promise.withResolvers<void>();
  const holder = globalThis as { activatingOfTests?: () => void; hangToldOfTests?: boolean };
  holder.activatingOfTests = activating.resolve;
  await using fixture = await startDaemon({ activateDeadline: 60_000, retryMin: 60_000 });
  await publish(
    fixture.path,
    `export const activate = ({ signal }) => new Promise((resolve) => {
       globalThis.activatingOfTests();
       signal.addEventListener("abort", () => resolve(globalThis.hangToldOfTests = true));
     });`,
  );
  await activating.promise;
  await publish(fixture.path, counted("after the activation", 1), { scn: SCN + 1 });
  await fixture.loaded("pricing", SCN + 1);
  assertEquals((await fixture.failed("deadline")).scn, SCN);
  assertEquals(holder.hangToldOfTests, true, "its signal was not aborted");
});

Deno.test("What fails is told once, however many newer ones fail after it, until it is gone", async () => {
  await using fixture = await startDaemon({ retryMin: 60_000 });
  await publish(fixture.path, counted("behind", 0));
  const throws = "export const activate = () => { throw new Error('no database'); };";
  const written = [];
  for (let age = 1; age <= 9; age++) {
    const source = age === 2 ? BROKEN : throws;
    written.push(await publish(fixture.path, source, { scn: SCN + age }));
    await fixture.failed(age === 2 ? "syntax" : "activation", SCN + age);
    await fixture.daemon.scan();
  }
  // Whatever is pushed out of sight is looked for again: that is a scan of its own.
  for (let scan = 0; scan < 3; scan++) await fixture.daemon.scan();
  const ages = fixture.events.of("failed").map(({ scn = 0 }) => scn - SCN);
  assertEquals(ages, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assertEquals(fixture.events.of("retried"), []);

  for (const { path } of written.slice(0, 1)) await Deno.remove(path);
  assertEquals((await fixture.retried(SCN + 1)).outcome, "removed");
});
