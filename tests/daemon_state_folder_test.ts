import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { HotplugError } from "../artifact/mod.ts";
import { checkDaemon, PluginDaemon } from "../daemon/mod.ts";
import { DaemonState } from "../daemon/state/daemon_state.ts";
import { takeStateFolder } from "../daemon/state/state_folder.ts";
import { tempDirectory } from "./_temp.ts";

const ignore = Deno.build.os === "windows";

async function modeOf(path: string): Promise<number> {
  return ((await Deno.stat(path)).mode ?? 0) & 0o7777;
}

Deno.test({
  name: "a folder that others read and that holds something is not made a private state folder",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const path = directory.file("shared");
    await Deno.mkdir(path);
    await Deno.chmod(path, 0o1777);
    await Deno.writeTextFile(`${path}/theirs`, "");
    const error = await assertRejects(() => takeStateFolder(path), HotplugError);
    assertEquals(error.code, "state");
    assert(error.message.includes('"theirs"'), error.message);
    assertEquals(await modeOf(path), 0o1777);
    assertEquals(Array.from(Deno.readDirSync(path), ({ name }) => name), ["theirs"]);
  },
});

Deno.test("a folder with what a daemon would write over, and none has written, is no state folder", async () => {
  for (const name of ["journal", "owner.json"]) {
    await using directory = await tempDirectory();
    await Deno.mkdir(directory.file("state"), { mode: 0o700 });
    const theirs = directory.file("state", name);
    await Deno.writeTextFile(theirs, "Dear diary");
    const error = await assertRejects(
      () => DaemonState.open(directory.file("state"), () => {}),
      HotplugError,
      "no daemon's",
    );
    assertEquals(error.code, "state");
    assertEquals(await Deno.readTextFile(theirs), "Dear diary");
    assertEquals([...Deno.readDirSync(directory.file("state"))].length, 1);
  }
});

Deno.test("who had a state folder before is not told where nothing says so", async () => {
  await using directory = await tempDirectory();
  await (await DaemonState.open(directory.file("state"), () => {})).close();
  await Deno.writeTextFile(directory.file("state", "owner.json"), '{"pid":"rubbish"}');
  const told: string[] = [];
  await (await DaemonState.open(directory.file("state"), ({ type }) => void told.push(type)))
    .close();
  assertEquals(told, []);
});

Deno.test({
  name: "a folder of its own is made private: an empty one, a disk of its own, one that it had",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const path = directory.file("own");
    await Deno.mkdir(`${path}/lost+found`, { recursive: true });
    for (const again of [false, true]) {
      await Deno.chmod(path, 0o755);
      if (again) await Deno.writeTextFile(`${path}/notes`, "");
      await (await takeStateFolder(path)).close();
      assertEquals(await modeOf(path), 0o700);
    }
  },
});

Deno.test("a state folder that is watched is refused before anything is written there", async () => {
  await using directory = await tempDirectory();
  const { path } = directory;
  const state = directory.file("state");
  const dotted = directory.file(".state");
  const refused = [
    { state: path },
    { state, recursive: true },
    { state, watch: [path, directory.file("state", "store")] },
    { state, watch: [directory.file("state", "..", "state", "store", ".a", "b")] },
  ];
  for (const options of refused) {
    const error = assertThrows(() => new PluginDaemon({ watch: [path], ...options }), HotplugError);
    assertEquals(error.code, "options");
    assert(error.message.includes("is watched"), error.message);
  }
  const taken = [
    { state },
    { state: dotted, recursive: true },
    { state, watch: [directory.file("state", "plugins"), directory.file("state", "stored")] },
  ];
  for (const options of taken) {
    await using _daemon = new PluginDaemon({ watch: [path], ...options });
  }
  assertEquals(Array.from(Deno.readDirSync(path)), []);
});

Deno.test({
  name: "a check tells whether the state folder can be used, and makes or changes nothing",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const file = directory.file("file");
    const [own, shared] = [directory.file("own"), directory.file("shared")];
    const missing = directory.file("not", "there");
    await Deno.mkdir(directory.file("plugins"));
    await Deno.mkdir(`${shared}/theirs`, { recursive: true });
    await Deno.writeTextFile(file, "");
    const troubleWith = async (state: string): Promise<string | undefined> => {
      const check = await checkDaemon({ watch: [directory.file("plugins")], state });
      assertEquals([check.state?.directory, check.ok], [state, !check.state?.trouble]);
      return check.state?.trouble;
    };
    for (const path of [file, `${file}/below`]) {
      assertEquals(await troubleWith(path), `"${file}" is not a directory`);
    }
    assert((await troubleWith(shared))?.includes('"theirs"'));
    assertEquals(await troubleWith(missing), undefined);
    // What would be set aside, and what can't be a store.
    for (
      const [name, content] of [["state.json", "{"], ["state.json", '{"format":99}'], ["store", ""]]
    ) {
      const state = await Deno.makeTempDir({ dir: directory.path });
      await Deno.writeTextFile(`${state}/${name}`, content as string);
      assert((await troubleWith(state))?.includes(`${state}/${name}`));
      assertEquals(Array.from(Deno.readDirSync(state), (each) => each.name), [name]);
      await Deno.remove(state, { recursive: true });
    }
    assertEquals(await Array.fromAsync(Deno.readDir(shared), ({ name }) => name), ["theirs"]);
    // That a daemon has it is no trouble.
    const taken = await takeStateFolder(own);
    assertEquals(await troubleWith(own), undefined);
    await taken.close();
    const left = await Array.fromAsync(Deno.readDir(directory.path), ({ name }) => name);
    assertEquals(left.sort(), ["file", "own", "plugins", "shared"]);
  },
});

Deno.test({
  name: "a link as state folder is judged by what it leads to",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const [own, nowhere] = [directory.file("own"), directory.file("nowhere")];
    await Deno.mkdir(`${own}/notes`, { recursive: true });
    await Deno.chmod(own, 0o700);
    await Deno.symlink("own", directory.file("link"));
    await (await takeStateFolder(directory.file("link"))).close();
    await Deno.symlink("gone", nowhere);
    await assertRejects(() => takeStateFolder(nowhere), HotplugError);
    const { ok, state } = await checkDaemon({ watch: [directory.path], state: nowhere });
    assertEquals([ok, state?.directory], [false, nowhere]);
  },
});

Deno.test({
  name: "a state folder that is watched is refused whichever way leads there",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const [plugins, link] = [directory.file("plugins"), directory.file("link")];
    await Deno.mkdir(plugins);
    await Deno.symlink("plugins", link);
    const ways = [
      { watch: [plugins], state: link },
      { watch: [link], state: plugins },
      { watch: [link], state: `${plugins}/state`, recursive: true },
    ];
    for (const options of ways) {
      const error = assertThrows(() => new PluginDaemon(options), HotplugError);
      assert(error.message.includes("is watched"), error.message);
    }
  },
});

Deno.test("a check finds a state folder that a start could not write to, as the kernel sees it", async (t) => {
  await using directory = await tempDirectory();
  const mount = directory.file("small");
  await Deno.mkdir(mount);
  const run = async (...[command = "", ...args]: string[]): Promise<boolean> =>
    (await new Deno.Command(command, { args, stderr: "null" }).output()).success;
  const mayMount = Deno.build.os === "linux" && Deno.uid() === 0;
  const mounted = mayMount && await run("mount", "-t", "tmpfs", "-o", "size=1m", "t", mount);
  await t.step({
    name: mounted ? "on a file system that is read-only" : "SKIPPED: this process may not mount",
    ignore: !mounted,
    async fn() {
      try {
        await Deno.mkdir(`${mount}/state`, { mode: 0o700 });
        // Its bits say no, and its owner's say nothing to who may do all.
        await Deno.mkdir(directory.file("shut"), { mode: 0o500 });
        assert(await run("mount", "-o", "remount,ro", mount));
        const watch = [directory.file("plugins")];
        await Deno.mkdir(watch[0] ?? "");
        for (const state of [`${mount}/state`, `${mount}/none`]) {
          const check = await checkDaemon({ watch, state });
          assert(!check.ok && check.state?.trouble?.includes("can't be written to"));
        }
        const state = directory.file("shut", "state");
        assertEquals((await checkDaemon({ watch, state })).state, { directory: state });
      } finally {
        await run("umount", mount);
      }
    },
  });
});
