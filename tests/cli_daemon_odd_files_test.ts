import { assertEquals, assertStringIncludes } from "@std/assert";
import { writeArtifact } from "./_artifacts.ts";
import { hotplug, PATIENCE, spawnHotplug, startDaemon, within } from "./_cli.ts";
import { makePipes } from "./_pipes.ts";
import { tempDirectory } from "./_temp.ts";

const ignore = Deno.build.os === "windows";

/** What it says of why it does not begin, or that nothing is the matter: it does not hang. */
async function fails(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await within(
    PATIENCE,
    hotplug("daemon", ...args),
    () => `daemon ${args.join(" ")} did not end`,
  );
  assertEquals(code === 0, false, stdout);
  return stdout + stderr;
}

Deno.test({
  name: "a configuration, key or token is read of no pipe that nobody writes into",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const pipe = directory.file("pipe");
    await makePipes(pipe);
    const token = ["--control", "127.0.0.1:0", "--token-file", pipe];
    const ways = [["--config", pipe], ["--trust", pipe], token];
    for (
      const said of await Promise.all(ways.map((way) => fails(directory.path, "--check", ...way)))
    ) assertStringIncludes(said, "nobody has written into this pipe");
  },
});

Deno.test({
  name: "a configuration that comes by a pipe is read to its end",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const pipe = directory.file("pipe");
    await makePipes(pipe);
    const checked = hotplug("daemon", "--check", "--config", pipe);
    await Deno.writeTextFile(pipe, `{ "watch": ["."], "state": false }`);
    const { code, stdout, stderr } = await within(PATIENCE, checked, () => "it did not end");
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, `folder  ${directory.path}: `);
  },
});

Deno.test({
  name: "a daemon that waits for its configuration ends when it is told to",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const pipe = directory.file("pipe");
    await makePipes(pipe);
    for (const [check, code] of [[[], 0], [["--check"], 1]] as const) {
      const child = spawnHotplug(["daemon", "--config", pipe, ...check]);
      // It is there once the pipe is opened; what is not written to its end is waited for.
      using writer = await Deno.open(pipe, { write: true });
      await writer.write(new TextEncoder().encode("{"));
      child.kill("SIGTERM");
      const { code: ended } = await within(PATIENCE, child.output(), () => "it did not end");
      assertEquals(ended, code);
    }
  },
});

Deno.test({
  name: "a daemon that is told to read its configuration again while it waits for it goes on",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const pipe = directory.file("pipe");
    await makePipes(pipe);
    const child = spawnHotplug(["daemon", "--config", pipe]);
    {
      using writer = await Deno.open(pipe, { write: true });
      child.kill("SIGHUP");
      await writer.write(new TextEncoder().encode("no settings"));
    }
    const { code, signal } = await within(PATIENCE, child.output(), () => "it did not end");
    assertEquals([code, signal], [1, null]);
  },
});

Deno.test({
  name: "a configuration that has no end, or is no text, is refused",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using directory = await tempDirectory();
    const zero = directory.file("zero.jsonc");
    await Deno.symlink("/dev/zero", zero);
    assertStringIncludes(await fails("--check", "--config", zero), "it has more than");
    const garbled = directory.file("garbled.jsonc");
    await Deno.writeFile(garbled, new Uint8Array([0x7b, 0xff, 0x7d]));
    assertStringIncludes(await fails("--check", "--config", garbled), "no text in UTF-8");
  },
});

Deno.test({
  name: "what is no file in a state folder keeps a daemon from it, and a check says so",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const [plugins, state] = [directory.file("plugins"), directory.file("state")];
    await Deno.mkdir(plugins);
    for (const each of ["lock", "state.json", "journal"]) {
      await Deno.mkdir(state, { mode: 0o700 });
      const pipe = `${state}/${each}`;
      await makePipes(pipe);
      const args = [plugins, "--no-config", "--state", state];
      for (const more of [[], ["--check"]]) {
        assertStringIncludes(await fails(...args, ...more), `"${pipe}" is no file`);
      }
      await Deno.remove(state, { recursive: true });
    }
  },
});

Deno.test({
  name: "pipes in a state folder, where a daemon would write, hold up neither it nor its end",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const [plugins, state] = [directory.file("plugins"), directory.file("state")];
    await Deno.mkdir(plugins);
    await writeArtifact(plugins, "export const answer = () => 1;");
    await Deno.mkdir(state, { mode: 0o700 });
    const read = ["owner.json", "control.token", "control.json"];
    const written = ["state.json.new", "control.json.new", "control.token.new"];
    await makePipes(...[...read, ...written].map((each) => `${state}/${each}`));
    const args = [plugins, "--no-config", "--state", state, "--control", "127.0.0.1:0"];
    await using daemon = startDaemon(args);
    await daemon.events.next(({ type }) => type === "ready", PATIENCE);
    daemon.kill("SIGTERM");
    assertEquals((await daemon.ended()).code, 0);
    assertEquals((await Deno.stat(`${state}/state.json`)).isFile, true);
  },
});
