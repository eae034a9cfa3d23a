import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { basename, relative } from "@std/path";
import { lockFileName } from "../artifact/mod.ts";
import type { CheckedPlugin } from "../daemon/mod.ts";
import { writeArtifact } from "./_artifacts.ts";
import { hotplug, PATIENCE, startDaemon } from "./_cli.ts";
import { publish } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

const ignore = Deno.build.os === "windows";
const [FIRST, SECOND, THIRD] = [20240101000000, 20240101000001, 20240101000002] as const;
const CONFIGURED = `
  let tag = "none";
  export const activate = ({ config }) => { tag = config?.tag ?? "none"; console.log("tag " + tag); };
  export const answer = () => tag;
`;

Deno.test("hotplug daemon takes its directories and settings from a file, and flags before it", async () => {
  await using directory = await tempDirectory();
  const config = directory.file("hotplug.jsonc");
  for (const name of ["one", "two"]) await Deno.mkdir(directory.file(name));
  await writeArtifact(directory.file("one"), "export const a = 1;", { name: "first" });
  await writeArtifact(directory.file("two"), "export const a = 1;", { name: "second" });
  await Deno.writeTextFile(config, `{ "watch": ["one"], "state": false, "initialScn": ${SECOND} }`);
  {
    await using daemon = startDaemon(["--config", config]);
    const ready = await daemon.events.next(({ type }) => type === "ready", PATIENCE);
    assert(ready.type === "ready");
    assertEquals([ready.watch, ready.plugins], [[directory.file("one")], []]);
  }
  await using daemon = startDaemon([
    directory.file("two"),
    "--config",
    config,
    "--initial-scn",
    String(FIRST),
  ]);
  const ready = await daemon.events.next(({ type }) => type === "ready", PATIENCE);
  assert(ready.type === "ready");
  assertEquals([ready.watch, ready.plugins], [[directory.file("two")], ["second"]]);
});

Deno.test("hotplug daemon takes by a flag whatever rule for approvals a file may state", async () => {
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, "export const a = 1;", { permissions: { net: true } });
  for (const [rule, scn] of [["more", FIRST], ["none", FIRST], ["all", undefined]] as const) {
    const flags = ["--no-config", "--no-state", "--approve", rule];
    const { code, stdout, stderr } = await hotplug(
      ...["daemon", directory.path, "--check", "--json"],
      ...flags,
    );
    assertEquals(code, 0, stderr);
    const { plugins: [plugin] } = JSON.parse(stdout);
    assertEquals([rule, plugin.scn], [rule, scn]);
  }
});

Deno.test({
  name:
    "SIGHUP reads the configuration again: settings hold for the next load, a bad file for none",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const config = directory.file("hotplug.jsonc");
    const plugins = directory.file("plugins");
    await Deno.mkdir(plugins);
    const write = (tag: string, more = ""): Promise<void> =>
      Deno.writeTextFile(
        config,
        `{ "watch": ["plugins"], "plugins": { "pricing": { "config": { "tag": "${tag}" } } } ${more} }`,
      );
    await write("old");
    await publish(plugins, CONFIGURED, { scn: FIRST });
    await using daemon = startDaemon(["--config", config]);
    await daemon.printed("tag old");
    await daemon.events.next(({ type }) => type === "ready", PATIENCE);

    const more = `"gateway": "0", "log": "json", "stopDeadline": 1,
      "memory": { "hard": 1099511627776, "exit": true }`;
    await write("new", `, "scanInterval": 5000, "activateDeadline": 9000, ${more}`);
    daemon.kill("SIGHUP");
    const reloaded = await daemon.events.next(({ type }) => type === "config", PATIENCE);
    assert(reloaded.type === "config");
    const names = [
      "scanInterval",
      "activateDeadline",
      "log",
      "stopDeadline",
      "memory.exit",
      "gateway",
    ];
    assertEquals([reloaded.state, reloaded.restart], ["reloaded", names]);
    await publish(plugins, CONFIGURED, { scn: SECOND });
    await daemon.printed("tag new");

    await Deno.writeTextFile(config, `{ "watch": `);
    daemon.kill("SIGHUP");
    const rejected = await daemon.events.next(
      (event) => event.type === "config" && event.state === "rejected",
      PATIENCE,
    );
    assert(rejected.type === "config" && rejected.message.includes("line 1"));
    await publish(plugins, CONFIGURED.replace("answer", "other"), { scn: SECOND + 1 });
    const last = await daemon.events.next(
      (event) => event.type === "loaded" && event.scn === SECOND + 1,
      PATIENCE,
    );
    assertEquals(last.type, "loaded");
  },
});

Deno.test({
  name: "SIGHUP lets in what a key signed that is trusted only now, and looks at the folders",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const config = directory.file("hotplug.jsonc");
    await Deno.mkdir(directory.file("plugins"));
    for (const name of ["one", "two"]) {
      assertEquals((await hotplug("keygen", "--out", directory.file(name))).code, 0);
    }
    await Deno.writeTextFile(directory.file("tax.ts"), "export const rate = () => 0.2;");
    const built = await hotplug(
      ...["build", directory.file("tax.ts"), "--dest", directory.file("plugins")],
      ...["--sign", directory.file("two")],
    );
    assertEquals(built.code, 0, built.stderr);
    const trusting = (file: string): Promise<void> =>
      Deno.writeTextFile(config, `{ "watch": ["plugins"], "trust": ["${file}"] }`);
    await trusting("one.pub");
    await using daemon = startDaemon(["--config", config]);
    await daemon.events.next(
      (event) => event.type === "failed" && event.code === "signature",
      PATIENCE,
    );
    await daemon.events.next(({ type }) => type === "ready", PATIENCE);
    await trusting("two.pub");
    daemon.kill("SIGHUP");
    const loaded = await daemon.events.next(({ type }) => type === "loaded", PATIENCE);
    assert(loaded.type === "loaded" && loaded.name === "tax");
  },
});

Deno.test({
  name: "SIGHUP names a token file that holds another token by now, which needs a restart",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const token = directory.file("token");
    await Deno.writeTextFile(token, "a-token-that-was-told-to-others\n");
    const flags = ["--no-config", "--control", "127.0.0.1:0", "--token-file", token];
    await using daemon = startDaemon([directory.file("plugins"), ...flags]);
    await daemon.events.next(({ type }) => type === "ready", PATIENCE);
    const needsRestart = async (times: number): Promise<readonly string[] | undefined> => {
      daemon.kill("SIGHUP");
      const told = () => daemon.events.of("config");
      await daemon.events.next(() => told().length === times, PATIENCE);
      return told().at(-1)?.restart;
    };
    assertEquals(await needsRestart(1), []);
    await Deno.writeTextFile(token, "a-token-that-nobody-else-knows\n");
    assertEquals(await needsRestart(2), ["--token-file"]);
    await Deno.remove(token);
    assertEquals(await needsRestart(3), []);
  },
});

Deno.test("hotplug daemon --check says what would be loaded and what not, and why", async () => {
  await using directory = await tempDirectory();
  const plugins = directory.file("plugins");
  await Deno.mkdir(plugins);
  await writeArtifact(plugins, "globalThis.ran = 1; export const a = 1;", { scn: FIRST });
  const good = await hotplug("daemon", plugins, "--check", "--no-config");
  assertEquals(good.code, 0, good.stderr);
  assert(good.stdout.includes(`plugin  pricing: ${FIRST} would be loaded`), good.stdout);

  const { path } = await writeArtifact(plugins, "export const a = 2;", { scn: SECOND });
  await Deno.writeTextFile(path, "export const a = 3;");
  const bad = await hotplug("daemon", plugins, directory.file("missing"), "--check", "--no-config");
  assertEquals(bad.code, 1);
  assert(bad.stdout.includes(`plugin  pricing: ${FIRST} would be loaded`), bad.stdout);
  assert(bad.stdout.includes("[integrity]"), bad.stdout);
  assert(bad.stdout.includes("there is no such directory"), bad.stdout);

  const json = await hotplug("daemon", plugins, "--check", "--json", "--no-config");
  const [line = "{}"] = json.stdout.split("\n");
  const { type, ok, plugins: [plugin] } = JSON.parse(line);
  assertEquals([type, ok, plugin.scn, plugin.refused[0].code], [
    "check",
    false,
    FIRST,
    "integrity",
  ]);

  const none = await hotplug("daemon", "--check", "--config", directory.file("none.jsonc"));
  assertEquals(none.code, 1);
  assert(none.stderr.includes("none.jsonc"), none.stderr);
});

for (
  const [text, flags, code, why] of [
    [`{ "watch": ["e"], "state": "./e" }`, [], 1, "which is watched"],
    [`{ "watch": ["e"], "recursive": true, "state": "./e/s" }`, [], 1, "which is watched"],
    [`{ "watch": ["e"], "memory": { "exit": true } }`, [], 1, "needs that limit"],
    [`{ "watch": ["e"], "trust": ["none.pub"] }`, [], 1, "none.pub"],
    [
      `{ "watch": ["e"], "state": false, "memory": { "soft": 9000000 } }`,
      ["--memory-hard", "2"],
      1,
      "give a soft limit",
    ],
    [`{ "watch": ["e"], "state": false }`, ["--exit-on-memory"], 2, "needs that limit"],
    [`{ "watch": ["e"], "state": false }`, ["--poll", "1"], 2, `"poll"`],
    [`{ "watch": ["e"], "state": false }`, ["--token-file", "t"], 2, "--control HOST:PORT"],
    [
      `{ "watch": ["e"], "state": false }`,
      ["--memory-soft", "2", "--memory-hard", "1"],
      2,
      "give a soft limit",
    ],
    [`{ "watch": ["e"], "state": false, "memory": { "hard": 9000000, "exit": true } }`, [], 0, ""],
  ] as const
) {
  Deno.test(`hotplug daemon --check ${flags.join(" ")} with the file ${text} exits with ${code}`, async () => {
    await using directory = await tempDirectory();
    await Deno.mkdir(directory.file("e"));
    const config = directory.file("hotplug.jsonc");
    await Deno.writeTextFile(config, text);
    const check = await hotplug("daemon", "--check", "--config", config, ...flags);
    assertEquals(check.code, code, check.stderr);
    assertStringIncludes(check.stderr, why);
  });
}

Deno.test("hotplug daemon --check tells of what lies below the initial SCN, and of what is not finished", async () => {
  await using directory = await tempDirectory();
  for (const scn of [FIRST, SECOND]) {
    await writeArtifact(directory.path, "export const a = 1;", { scn, name: "old" });
  }
  const { scn } = (await writeArtifact(directory.path, "export const a = 1;", {
    scn: THIRD,
    name: "half",
  })).parts;
  await Deno.writeTextFile(directory.file(lockFileName("half", scn)), "");
  const flags = ["--check", "--no-config", "--json", "--initial-scn", String(THIRD)];
  const check = await hotplug("daemon", directory.path, ...flags);
  // A build may be under way, and what is older may stay.
  assertEquals(check.code, 0, check.stderr);
  const { plugins } = JSON.parse(check.stdout.split("\n")[0] ?? "{}");
  assertEquals(
    plugins.map(({ name, scn, refused }: CheckedPlugin) => [
      name,
      scn,
      refused.map(({ path, code }) => `${basename(path)} ${code}`),
    ]),
    [
      ["half", undefined, [`half_${THIRD}_2_0_0_any_any.mjs incomplete`]],
      ["old", undefined, [`old_${SECOND}_2_0_0_any_any.mjs outdated`]],
    ],
  );
});

Deno.test({
  name:
    "a plugin that leads the process to another folder, and a file nested beyond reason, end no reload",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    const plugins = directory.file("plugins");
    // Far down, so that a relative path leads to nothing from there.
    const elsewhere = directory.file(..."abcdefghijkl");
    for (const each of [plugins, elsewhere]) await Deno.mkdir(each, { recursive: true });
    const config = directory.file("hotplug.jsonc");
    await Deno.writeTextFile(config, `{ "watch": ["plugins"] }`);
    await writeArtifact(plugins, `Deno.chdir(${JSON.stringify(elsewhere)}); export const a = 1;`);
    await using daemon = startDaemon(["--config", relative(Deno.cwd(), config)]);
    await daemon.events.next(({ type }) => type === "loaded", PATIENCE);
    const told = async (state: string): Promise<string> => {
      daemon.kill("SIGHUP");
      const event = await daemon.events.next(
        (event) => event.type === "config" && event.state === state,
        PATIENCE,
      );
      return event.type === "config" ? event.message : "";
    };
    for (const depth of [100_000, 200_000]) {
      const nested = "[".repeat(depth) + "]".repeat(depth);
      await Deno.writeTextFile(config, `{ "plugins": { "a": { "config": ${nested} } } }`);
      assert((await told("rejected")).includes("nested too deeply"));
    }
    await Deno.writeTextFile(config, `{ "watch": ["plugins"] }`);
    assertEquals((await told("reloaded")).includes("restart"), false);
    daemon.kill("SIGTERM");
    assertEquals((await daemon.ended()).code, 0);
  },
});

Deno.test("hotplug daemon --check refuses what a start would of the control, with 2", async () => {
  await using directory = await tempDirectory();
  const token = directory.file("token");
  await Deno.writeTextFile(token, "short");
  const common = ["daemon", directory.path, "--check", "--no-config", "--control", "127.0.0.1:0"];
  for (
    const [flags, why] of [
      [["--no-state"], "On TCP a token is always asked for"],
      [["--token-file", token], "16 characters or more"],
    ] as const
  ) {
    const { code, stderr } = await hotplug(...common, ...flags);
    assertEquals(code, 2);
    assertStringIncludes(stderr, why);
  }
  const state = directory.file("state");
  assertEquals((await hotplug(...common, "--state", state)).code, 0);
});
