import { assertEquals, assertStringIncludes } from "@std/assert";
import type { WatchEvent } from "../daemon/mod.ts";
import { writeArtifact } from "./_artifacts.ts";
import { type DaemonProcess, PATIENCE, startDaemon, within } from "./_cli.ts";
import { makePipes } from "./_pipes.ts";
import { runScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

const ignore = Deno.build.os === "windows";
const SOURCE = "export const answer = () => 1;";

/** More than are kept open. */
const MANY = 200;

async function ready(
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<DaemonProcess> {
  const daemon = startDaemon([...args, "--no-config"], {}, flags);
  await daemon.events.next(({ type }) => type === "ready", PATIENCE);
  return daemon;
}

/** Writes an artifact, which is then loaded. */
async function loads(daemon: DaemonProcess, folder: string, name: string): Promise<void> {
  await writeArtifact(folder, SOURCE, { name });
  await daemon.events.next((event) => event.type === "loaded" && event.name === name, PATIENCE);
}

async function endsWell(daemon: DaemonProcess): Promise<void> {
  daemon.kill("SIGTERM");
  assertEquals((await daemon.ended(10_000)).code, 0);
}

/** How many pipes the process has open. */
async function openPipes({ pid }: DaemonProcess, folder: string): Promise<number> {
  const links = await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`), async ({ name }) => {
    return await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
  });
  return links.filter((each) => each.startsWith(folder)).length;
}

Deno.test({
  name: "a named pipe in a watched folder holds up neither the events nor the end of a daemon",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    await using daemon = await ready([directory.path, "--recursive"]);
    const pipe = directory.file("pipe_20240101000000_2_0_0_any_any.mjs");
    await makePipes(pipe);
    daemon.kill("SIGHUP");
    await daemon.events.next((event) => event.type === "failed" && event.path === pipe, PATIENCE);
    await Deno.mkdir(directory.file("more"));
    await writeArtifact(directory.file("more"), "export const answer = () => 1;");
    await daemon.events.next(({ type }) => type === "loaded", PATIENCE);
    await endsWell(daemon);
  },
});

Deno.test({
  name: "a named pipe that has just come does not keep a daemon from ending",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    await using daemon = await ready([directory.path]);
    await makePipes(directory.file("pipe"));
    await endsWell(daemon);
  },
});

Deno.test({
  name: "a folder with more named pipes than a daemon keeps open is polled until they are gone",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const [crowded, calm] = [directory.file("crowded"), directory.file("calm")];
    for (const folder of [crowded, calm]) await Deno.mkdir(folder);
    await using daemon = await ready([crowded, calm]);
    const watched = (folder: string) =>
      daemon.events.of("watch").filter((event) => event.directory === folder);
    const until = async (state: WatchEvent["state"]) =>
      await daemon.events.next(
        (event) => event.type === "watch" && event.directory === crowded && event.state === state,
        PATIENCE,
      );
    const pipes = Array.from({ length: MANY }, (_, index) => `${crowded}/pipe${index}`);
    await makePipes(...pipes, `${calm}/pipe`);
    daemon.kill("SIGHUP");
    const { message } = await until("polling") as WatchEvent;
    assertStringIncludes(message ?? "", crowded);
    for (const folder of [crowded, calm]) {
      await loads(daemon, folder, folder === calm ? "calm" : "crowded");
    }
    if (Deno.build.os === "linux") assertEquals(await openPipes(daemon, directory.path), 1);
    // One that is put in the place of another is no news.
    await Deno.remove(pipes[0] ?? "");
    await makePipes(pipes[0] ?? "");
    await loads(daemon, crowded, "next");
    assertEquals(watched(calm).map(({ state }) => state), ["watching"]);
    assertEquals(watched(crowded).map(({ state }) => state), ["watching", "polling"]);
    for (const pipe of pipes) await Deno.remove(pipe);
    await until("watching");
    await loads(daemon, crowded, "last");
    await endsWell(daemon);
  },
});

Deno.test({
  name:
    "more named pipes than a daemon keeps open, which have just come, do not keep it from ending",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    await using daemon = await ready([directory.path]);
    await makePipes(...Array.from({ length: MANY }, (_, index) => directory.file(`pipe${index}`)));
    await endsWell(daemon);
  },
});

Deno.test({
  name: "a link to a named pipe elsewhere is for a daemon as a pipe",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const plugins = directory.file("plugins");
    await Deno.mkdir(plugins);
    await using daemon = await ready([plugins]);
    const pipe = directory.file("pipe");
    await makePipes(pipe);
    await Deno.symlink(pipe, `${plugins}/link_20240101000000_2_0_0_any_any.mjs`);
    daemon.kill("SIGHUP");
    await daemon.events.next(({ type }) => type === "failed", PATIENCE);
    await Deno.mkdir(directory.file("plugins", "more"));
    await loads(daemon, plugins, "after");
    await Deno.symlink(pipe, `${plugins}/new`);
    await endsWell(daemon);
  },
});

Deno.test({
  name: "a named pipe that a daemon may not keep open costs it its watches, and nothing else",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const [plugins, other] = [directory.file("plugins"), directory.file("other")];
    for (const folder of [plugins, other]) await Deno.mkdir(folder);
    await using daemon = await ready([plugins, other], [`--deny-write=${plugins}`]);
    await makePipes(`${plugins}/pipe`);
    daemon.kill("SIGHUP");
    for (const folder of [plugins, other]) {
      const { message } = await daemon.events.next(
        (event) =>
          event.type === "watch" && event.directory === folder && event.state === "polling",
        PATIENCE,
      ) as WatchEvent;
      assertStringIncludes(
        message ?? "",
        `the named pipe "${plugins}/pipe", which can't be opened`,
      );
    }
    await loads(daemon, plugins, "one");
    await loads(daemon, other, "two");
    await makePipes(`${plugins}/other`);
    await endsWell(daemon);
  },
});

Deno.test({
  name: "a daemon whose watches wait at a pipe that came and went polls, and is held up by nothing",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const [plugins, state] = [directory.file("plugins"), directory.file("state")];
    const source = `
      import { PluginDaemon } from "project:daemon/mod.ts";
      import { writeArtifact } from "project:tests/_artifacts.ts";
      import { collectEvents } from "project:tests/_events.ts";
      const [plugins, state] = ${JSON.stringify([plugins, state])};
      await Deno.mkdir(plugins);
      const daemon = new PluginDaemon({ watch: [plugins], state, scanInterval: 200 });
      using events = collectEvents(daemon);
      await daemon.start();
      // Of so many, one at the least is seen before it goes.
      for (let index = 0; index < 20; index++) {
        const pipe = \`\${plugins}/pipe\`;
        await new Deno.Command("mkfifo", { args: [pipe] }).output();
        await Deno.remove(pipe);
      }
      const told = await events.next((event) => event.type === "watch" && event.state === "polling");
      await Deno.rename(plugins, \`\${plugins}-away\`);
      await Deno.mkdir(plugins);
      await writeArtifact(plugins, "export const answer = () => 1;");
      await events.next(({ type }) => type === "loaded");
      await daemon.close();
      console.log(told.message);
      Deno.exit(0);
    `;
    const { code, stdout, stderr } = await within(
      PATIENCE,
      runScript(directory.path, source),
      () => "it did not end",
    );
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "Deno tells of no changes any more");
  },
});

Deno.test({
  name: "a named pipe that came and went a moment ago does not keep a daemon from ending",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    await using daemon = await ready([directory.path]);
    for (let index = 0; index < 20; index++) {
      await makePipes(directory.file("pipe"));
      await Deno.remove(directory.file("pipe"));
    }
    await endsWell(daemon);
  },
});
