import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { basename, join } from "@std/path";
import { checkDaemon, type DaemonOptions, PluginDaemon } from "../daemon/mod.ts";
import { type ArtifactInit, SCN, writeArtifact } from "./_artifacts.ts";
import { testKeys } from "./_signed.ts";
import { tempDirectory } from "./_temp.ts";

const [FIRST, SECOND] = [20240101000000, 20240101000001] as const;

/** What would be loaded of each plugin, and which codes keep what else out. */
async function wouldLoad(
  options: DaemonOptions,
): Promise<[string, number | undefined, string[]][]> {
  const { plugins } = await checkDaemon(options);
  return plugins.map(({ name, scn, refused }) => [
    name,
    scn,
    refused.map(({ path, code }) => `${basename(path)} ${code}`),
  ]);
}

Deno.test("A check goes by what is remembered: rollbacks, freezes, quarantine, and what is reopened", async () => {
  await using directory = await tempDirectory();
  const watch = directory.file("plugins");
  await Deno.mkdir(watch);
  const options = { watch: [watch], state: directory.file("state") };
  const write = (name: string, scn: number): Promise<unknown> =>
    writeArtifact(watch, `export const scn = ${scn};`, { name, scn });
  for (const name of ["back", "cold", "gone"]) await write(name, FIRST);
  {
    await using daemon = new PluginDaemon(options);
    await daemon.start();
    await write("back", SECOND);
    await daemon.scan();
    await daemon.rollback("back");
    await daemon.freeze("cold");
  }
  await write("cold", SECOND);
  await Deno.remove(`${watch}/gone_${FIRST}_2_0_0_any_any.mjs`);
  // As one that had been loading twice as the process ended.
  const file = `${options.state}/state.json`;
  const state = JSON.parse(await Deno.readTextFile(file));
  state.plugins.push({
    ...{ name: "loops", floor: 0, held: 0, frozen: false, suspects: [] },
    quarantine: [{ scn: SECOND, path: "loops", since: "2024-01-01", reason: "it ended twice" }],
  });
  await Deno.writeTextFile(file, JSON.stringify(state));
  for (const scn of [FIRST, SECOND]) await write("loops", scn);

  assertEquals(await wouldLoad(options), [
    ["back", FIRST, [`back_${SECOND}_2_0_0_any_any.mjs held`]],
    ["cold", FIRST, [`cold_${SECOND}_2_0_0_any_any.mjs frozen`]],
    ["gone", FIRST, []],
    ["loops", FIRST, [`loops_${SECOND}_2_0_0_any_any.mjs quarantined`]],
  ]);
  await using daemon = new PluginDaemon(options);
  await daemon.start();
  // And so it comes.
  for (const name of ["back", "cold", "gone", "loops"]) {
    assertEquals(daemon.manager.current(name)?.scn, FIRST, name);
  }
});

/** What a daemon of these options has as current, of a plugin. */
async function serves(options: DaemonOptions, name: string): Promise<number | undefined> {
  await using daemon = new PluginDaemon(options);
  await daemon.start();
  return daemon.manager.current(name)?.scn;
}

Deno.test("A check holds what waits for an approval, by what is reopened", async () => {
  await using directory = await tempDirectory();
  const watch = directory.file("plugins");
  const options = { watch: [watch], state: directory.file("state") };
  const permissions = { net: ["example.com"] };
  await Deno.mkdir(watch);
  await writeArtifact(watch, "export const a = 1;", { name: "asks", scn: FIRST, permissions });
  const waits = [`asks_${FIRST}_2_0_0_any_any.mjs approval-required`];
  const all = { ...options, approve: "all" } as const;
  assertEquals(await wouldLoad(all), [["asks", undefined, waits]]);
  assertEquals(await serves(all, "asks"), undefined);
  assertEquals(await serves(options, "asks"), FIRST);
  // The same is no more; what else it asks for is.
  await writeArtifact(watch, "export const b = 1;", { name: "asks", scn: SECOND, permissions });
  assertEquals(await wouldLoad(all), [["asks", SECOND, []]]);
  await writeArtifact(watch, "export const b = 1;", {
    ...{ name: "asks", scn: SECOND },
    permissions: { env: ["HOME"], ...permissions },
  });
  const held = [`asks_${SECOND}_2_0_0_any_any.mjs approval-required`];
  assertEquals(await wouldLoad(options), [["asks", FIRST, held]]);
  assertEquals((await checkDaemon(options)).ok, true);
  assertEquals(await serves(options, "asks"), FIRST);
});

Deno.test("A check holds what waits for an approval, though what was current can't be reopened", async () => {
  await using directory = await tempDirectory();
  const watch = directory.file("plugins");
  const options = { watch: [watch], state: directory.file("state") };
  await Deno.mkdir(watch);
  const { path } = await writeArtifact(watch, "export const a = 1;", { name: "asks", scn: FIRST });
  assertEquals(await serves(options, "asks"), FIRST);
  await writeArtifact(watch, "export const b = 1;", {
    ...{ name: "asks", scn: SECOND },
    permissions: { env: ["HOME"] },
  });
  await Deno.remove(path);
  await Deno.remove(join(options.state, "store"), { recursive: true });
  const [[name, scn, refused]] = await wouldLoad(options) as [[string, undefined, string[]]];
  assertEquals([name, scn, refused.map((each) => each.split(" ")[1]).sort()], [
    ...["asks", undefined],
    ["approval-required", "io"],
  ]);
  assertEquals(await serves(options, "asks"), undefined);
});

Deno.test("A check finds what can't be reopened: for another Deno, or with other bytes", async () => {
  await using directory = await tempDirectory();
  const watch = directory.file("plugins");
  const options = { watch: [watch], state: directory.file("state") };
  await Deno.mkdir(watch);
  for (const scn of [FIRST, SECOND]) {
    await writeArtifact(watch, `export const scn = ${scn};`, { name: "old", scn });
    assertEquals(await serves(options, "old"), scn);
  }
  const exact = { ...options, runtimeRule: "exact" } as const;
  const { ok, plugins } = await checkDaemon(exact);
  assertEquals([ok, plugins[0]?.scn], [false, undefined]);
  assertEquals(await serves(exact, "old"), undefined);

  for (const { name } of Deno.readDirSync(watch)) await Deno.remove(`${watch}/${name}`);
  const store = `${options.state}/store`;
  const kept = Array.from(Deno.readDirSync(store), ({ name }) => name)
    .find((name) => name.startsWith(`old@${SECOND}`));
  await writeArtifact(`${store}/${kept}`, "export const other = 1;", { name: "old", scn: SECOND });
  assertEquals(await wouldLoad(options), [["old", FIRST, [
    `old_${SECOND}_2_0_0_any_any.mjs integrity`,
  ]]]);
  assertEquals(await serves(options, "old"), FIRST);
});

for (
  const [what, code, options] of [
    ["a process of its own", "no-deno", { deno: "/nonexistent/deno", tier: "process" }],
    ["a preflight before it", "no-deno", { deno: "/nonexistent/deno", preflight: true }],
    ["a worker of its own permissions", "unsupported", { workerPermissions: true, tier: "worker" }],
  ] as const
) {
  Deno.test(`A check refuses as a load does, and runs nothing of it, what is to have ${what} that this host can't give`, async () => {
    await using directory = await tempDirectory();
    const ran = directory.file("ran");
    const { path } = await writeArtifact(
      directory.path,
      `Deno.writeTextFileSync(${JSON.stringify(ran)}, ""); export const a = 1;`,
      { name: "stuck" },
    );
    const daemonOptions = { watch: [directory.path], ...options };
    const { ok, plugins } = await checkDaemon(daemonOptions);
    assertEquals([ok, plugins.map(({ name, scn }) => [name, scn])], [false, [[
      "stuck",
      undefined,
    ]]]);
    await using daemon = new PluginDaemon(daemonOptions);
    const events = daemon.events();
    await daemon.start();
    let failure: unknown;
    for await (const event of events) {
      if (event.type === "ready") break;
      if (event.type === "failed") {
        failure = { path: event.path, code: event.code, message: event.message };
      }
    }
    assertEquals<unknown>(plugins[0]?.refused, [failure]);
    assertEquals(plugins[0]?.refused.map((each) => [each.path, each.code]), [[path, code]]);
    await assertRejects(() => Deno.stat(ran), Deno.errors.NotFound);
  });
}

/** Writes down, of the only plugin, what a start does of what it finds loading. */
async function suspect(folder: string, entry: Readonly<Record<string, unknown>>): Promise<void> {
  const file = `${folder}/state.json`;
  const state = JSON.parse(await Deno.readTextFile(file));
  state.plugins[0].suspects.push(entry);
  await Deno.writeTextFile(file, JSON.stringify(state));
}

Deno.test("A check foresees the quarantine of what was loading a second time", async () => {
  await using directory = await tempDirectory();
  const options = { watch: [directory.file("plugins")], state: directory.file("state") };
  const [watch] = options.watch as [string];
  await Deno.mkdir(watch);
  await writeArtifact(watch, "export const a = 1;", { name: "loops", scn: FIRST });
  assertEquals(await serves(options, "loops"), FIRST);
  const { path } = await writeArtifact(watch, "export const b = 1;", {
    name: "loops",
    scn: SECOND,
  });
  await suspect(options.state, { scn: SECOND, path, load: "one 0" });
  const load = { id: 0, name: "loops", scn: SECOND, path, run: "two" };
  await Deno.writeTextFile(`${options.state}/journal`, `\n${JSON.stringify(load)}\n`);
  assertEquals(await wouldLoad(options), [
    ["loops", FIRST, [`loops_${SECOND}_2_0_0_any_any.mjs quarantined`]],
  ]);
  assertEquals(await serves(options, "loops"), FIRST);
});

Deno.test("A check does not vouch for what was loading as the process ended", async () => {
  await using directory = await tempDirectory();
  const options = { watch: [directory.file("plugins")], state: directory.file("state") };
  const [watch] = options.watch as [string];
  await Deno.mkdir(watch);
  await writeArtifact(watch, "export const a = 1;", { name: "ends", scn: FIRST });
  assertEquals(await serves(options, "ends"), FIRST);
  const { path } = await writeArtifact(watch, "export const b = 1;", { name: "ends", scn: SECOND });
  await suspect(options.state, { scn: SECOND, path, load: "one 0" });
  const untried = [`ends_${SECOND}_2_0_0_any_any.mjs crashed`];
  assertEquals(await wouldLoad(options), [["ends", FIRST, untried]]);
  assertEquals((await checkDaemon(options)).ok, false);
  // A good one gets through its preflight, and is above suspicion then.
  assertEquals(await serves(options, "ends"), SECOND);
  assertEquals(await wouldLoad(options), [["ends", SECOND, []]]);
});

Deno.test("A check finds what a worker would not take: it asks for less than all", async () => {
  await using directory = await tempDirectory();
  const permissions = { net: ["example.com"] };
  await writeArtifact(directory.path, "export const a = 1;", { name: "net", permissions });
  const options = { watch: [directory.path], tier: "worker" } as const;
  const { ok, plugins } = await checkDaemon(options);
  assertEquals([ok, plugins[0]?.scn, plugins[0]?.refused[0]?.code], [
    false,
    undefined,
    "unsupported",
  ]);
  assertEquals(await serves(options, "net"), undefined);
});

Deno.test({
  name: "What was current is reopened from where a link led, where it is kept no more",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    const [watch, state] = [directory.file("plugins"), directory.file("state")];
    for (const each of ["shelf", ".pool"]) {
      await Deno.mkdir(`${watch}/${each}`, { recursive: true });
    }
    const options = { watch: [watch], recursive: true, state };
    const { path, infoPath } = await writeArtifact(`${watch}/.pool`, "export const a = 1;", {
      ...{ name: "back", scn: FIRST },
    });
    for (const each of [path, infoPath]) {
      await Deno.symlink(`../.pool/${basename(each)}`, `${watch}/shelf/${basename(each)}`);
    }
    assertEquals(await serves(options, "back"), FIRST);
    await writeArtifact(watch, "export const b = 1;", { name: "back", scn: SECOND });
    {
      await using daemon = new PluginDaemon(options);
      await daemon.start();
      await daemon.rollback("back");
    }
    await Deno.remove(`${state}/store`, { recursive: true });
    const held = [`back_${SECOND}_2_0_0_any_any.mjs held`];
    assertEquals(await wouldLoad(options), [["back", FIRST, held]]);
    assertEquals(await serves(options, "back"), FIRST);
  },
});

Deno.test("A check finds what was meant to be an artifact, and is none by its name", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, "export const a = 1;");
  for (const other of ["README.md", `${basename(path)}.map`, `.${basename(path)}`, "lib_a_b.mjs"]) {
    await Deno.writeTextFile(directory.file(other), "");
  }
  const options = { watch: [directory.path] };
  assertEquals((await checkDaemon(options)).ok, true);
  // There is no thirteenth month.
  const wrong = "pricing_20261301000000_2_9_5_any_any.mjs";
  await Deno.writeTextFile(directory.file(wrong), "export const a = 2;");
  const { ok, folders: [folder] } = await checkDaemon(options);
  assertEquals([ok, folder?.misnamed?.length], [false, 1]);
  assertStringIncludes(folder?.misnamed?.[0] ?? "", wrong);
});

Deno.test("A check finds what is no module, and runs nothing of what is one", async () => {
  await using directory = await tempDirectory();
  const mark = directory.file("mark");
  const sources = {
    brace: "{",
    builtin: 'import "node:nothing-of-this-name";',
    fine: `Deno.writeTextFileSync(${JSON.stringify(mark)}, ""); export { join } from "node:path";`,
    page: "<!DOCTYPE html>",
    twice: "let a; let a;",
  };
  for (const [name, source] of Object.entries(sources)) {
    await writeArtifact(directory.path, source, { name, info: false });
  }
  const { plugins } = await checkDaemon({ watch: [directory.path], bareSettle: 0 });
  assertEquals(
    plugins.map(({ name, scn, refused: [refused] }) => [name, scn ?? refused?.code]),
    Object.keys(sources).map((name) => [name, name === "fine" ? SCN : "syntax"]),
  );
  await assertRejects(() => Deno.stat(mark), Deno.errors.NotFound);
});

Deno.test("A check tells once of what lies in a folder and in the state folder's store", async () => {
  await using directory = await tempDirectory();
  const watch = directory.file("plugins");
  await Deno.mkdir(watch);
  const options = { watch: [watch], state: directory.file("state") };
  await writeArtifact(watch, "export const a = 1;", { name: "once" });
  {
    await using daemon = new PluginDaemon(options);
    await daemon.start();
  }
  const { publicKey } = await testKeys();
  const { plugins } = await checkDaemon({ ...options, trust: publicKey });
  assertEquals(plugins.map(({ refused }) => refused.map(({ path, code }) => [path, code])), [
    [[join(watch, `once_${SCN}_2_0_0_any_any.mjs`), "signature"]],
  ]);
});

Deno.test("A check finds trouble in what has no info file where one is asked for", async () => {
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, "export const a = 1;", { name: "bare", info: false });
  const options = { watch: [directory.path], requireInfo: true };
  const { ok, plugins } = await checkDaemon(options);
  assertEquals([ok, plugins[0]?.scn, plugins[0]?.refused[0]?.code], [
    false,
    undefined,
    "incomplete",
  ]);
});

Deno.test({
  name: "A check follows links as a daemon does: anywhere in the watched folder, and not out of it",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    const watch = directory.file("plugins");
    for (const each of ["shelf", "pool"]) await Deno.mkdir(`${watch}/${each}`, { recursive: true });
    for (
      const [name, folder] of [["inside", `${watch}/pool`], ["outside", directory.path]] as const
    ) {
      const { path, infoPath } = await writeArtifact(folder, "export const a = 1;", { name });
      for (const each of [path, infoPath]) {
        await Deno.symlink(each, `${watch}/shelf/${basename(each)}`);
      }
    }
    // Else it would be found where it lies, too.
    await Deno.rename(`${watch}/pool`, `${watch}/.pool`);
    for (const { name } of Deno.readDirSync(`${watch}/.pool`)) {
      await Deno.remove(`${watch}/shelf/${name}`);
      await Deno.symlink(`../.pool/${name}`, `${watch}/shelf/${name}`);
    }
    const { plugins } = await checkDaemon({ watch: [watch], recursive: true });
    assertEquals(
      plugins.map(({ name, scn, refused: [why] }) => [name, scn !== undefined, why?.code]),
      [
        ["inside", true, undefined],
        ["outside", false, "integrity"],
      ],
    );
  },
});

Deno.test("A check tells of what has the SCN of what would be current, and other content", async () => {
  await using directory = await tempDirectory();
  const watch = ["a", "b"].map((each) => directory.file(each));
  const [first, second] = watch as [string, string];
  for (const each of watch) await Deno.mkdir(each);
  const options = { watch, state: directory.file("state") };
  const write = async (folder: string, which: number, init: ArtifactInit = {}): Promise<string> =>
    (await writeArtifact(folder, `export const which = () => ${which};`, init)).path;
  const told = async (): Promise<[boolean, string[][]]> => {
    const { ok, plugins } = await checkDaemon(options);
    return [ok, plugins.flatMap((each) => each.refused.map(({ path, code }) => [path, code]))];
  };
  await write(first, 1);
  await write(second, 1);
  assertEquals(await told(), [true, []]);
  const other = await write(second, 2);
  assertEquals(await told(), [false, [[other, "conflict"]]]);
  {
    await using daemon = new PluginDaemon(options);
    await daemon.start();
  }
  assertEquals(await told(), [false, [[other, "conflict"]]]);
  // What is not current any more is in nobody's way, as with a start.
  await write(first, 3, { scn: SCN + 1 });
  assertEquals(await told(), [true, []]);
  // As one that is being copied.
  await write(second, 4, { scn: SCN + 1, info: false });
  assertEquals(await told(), [true, []]);
});
