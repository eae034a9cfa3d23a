import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { WatchEvent } from "../daemon/mod.ts";
import { artifactStem } from "../artifact/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { counted, type DaemonFixture, evaluations, makeDaemon, publish } from "./_daemon.ts";
import { runScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";
import { UNPRIVILEGED } from "./_unprivileged.ts";

const POSIX = Deno.build.os !== "windows";

/** Waits until that many states of watching were told, and answers with them. */
async function watchStates(
  { events }: DaemonFixture,
  count: number,
): Promise<WatchEvent["state"][]> {
  const states = (): WatchEvent["state"][] => events.of("watch").map(({ state }) => state);
  await events.next(() => states().length >= count);
  return states();
}

Deno.test("A directory that is not there yet is waited for", async () => {
  await using root = await tempDirectory();
  const path = root.file("not", "yet");
  await using fixture = makeDaemon([path]);
  await fixture.daemon.start();
  assertEquals(await watchStates(fixture, 1), ["missing"]);
  await Deno.mkdir(path, { recursive: true });
  await publish(path, counted("not yet", 1));
  await fixture.loaded("pricing");
  assertEquals(await watchStates(fixture, 2), ["missing", "watching"]);
});

Deno.test("A directory that is deleted and made again is watched anew, and what is loaded serves on", async () => {
  await using root = await tempDirectory();
  const path = root.file("plugins");
  await Deno.mkdir(path);
  await using fixture = makeDaemon([path]);
  await fixture.daemon.start();
  for (let round = 0; round < 4; round++) {
    await publish(path, counted(`round ${round}`, round), { scn: SCN + 2 * round });
    await fixture.loaded("pricing", SCN + 2 * round);
    const isOdd = round % 2 === 1;
    // Back from the round before: what is missing still is not told as missing again.
    const isWatching = () => fixture.daemon.status().watch[0]?.state === "watching";
    if (isOdd) await fixture.events.next(isWatching);
    const told = fixture.events.of("watch").length;
    await Deno.remove(path, { recursive: true });
    // Also at once, so that neither a missing folder nor another number may be seen in between.
    if (isOdd) await watchStates(fixture, told + 1);
    await Deno.mkdir(path);
    await publish(path, counted("again", round), { scn: SCN + 2 * round + 1 });
    await fixture.loaded("pricing", SCN + 2 * round + 1);
    assertEquals(await fixture.daemon.manager.current("pricing")?.call("answer"), round);
  }
  assertEquals(fixture.events.of("failed"), []);
});

Deno.test("A directory that is renamed away and back is watched on", async () => {
  await using root = await tempDirectory();
  const path = root.file("plugins");
  await Deno.mkdir(path);
  await using fixture = makeDaemon([path]);
  await fixture.daemon.start();
  await publish(path, counted("renamed", 1));
  await fixture.loaded("pricing");

  await Deno.rename(path, root.file("away"));
  assertEquals(await watchStates(fixture, 2), ["watching", "missing"]);
  await publish(root.file("away"), counted("renamed", 2), { scn: SCN + 1 });
  await fixture.daemon.scan();
  assertEquals(fixture.daemon.manager.current("pricing")?.scn, SCN);

  await Deno.rename(root.file("away"), path);
  await fixture.loaded("pricing", SCN + 1);
  await publish(path, counted("renamed", 3), { scn: SCN + 2 });
  await fixture.loaded("pricing", SCN + 2);
});

Deno.test("A volume that swaps its `..data` link is followed", { ignore: !POSIX }, async () => {
  await using root = await tempDirectory();
  const path = root.file("volume");
  await Deno.mkdir(path);
  /** What kubelet does: a new folder, and one rename of a link. */
  const swap = async (version: string, scn: number): Promise<void> => {
    const data = join(path, `..${version}`);
    await Deno.mkdir(data);
    const { file, parts } = await writeArtifact(data, counted(`volume ${version}`, version), {
      scn,
    });
    await Deno.symlink(`..${version}`, join(path, "..data_tmp"));
    await Deno.rename(join(path, "..data_tmp"), join(path, "..data"));
    for (const each of [file, `${artifactStem(parts)}.pinf`]) {
      await Deno.symlink(join("..data", each), join(path, each));
    }
  };
  await swap("v1", SCN);
  await using fixture = makeDaemon([path]);
  await fixture.daemon.start();
  await fixture.loaded("pricing", SCN);
  await swap("v2", SCN + 1);
  await fixture.loaded("pricing", SCN + 1);
  await Deno.remove(join(path, "..v1"), { recursive: true });
  await swap("v3", SCN + 2);
  await fixture.loaded("pricing", SCN + 2);
  assertEquals(fixture.events.of("failed"), []);
});

Deno.test(
  "A swap of `..data` that brings one file name other bytes is seen by the mark of the target",
  {
    ignore: !POSIX,
  },
  async () => {
    await using root = await tempDirectory();
    const path = root.file("volume");
    for (
      const [version, source] of [["..v1", "export const = 1;"], ["..v2", "export const a = 1;"]]
    ) {
      await Deno.mkdir(join(path, version ?? ""), { recursive: true });
      await writeArtifact(join(path, version ?? ""), source ?? "", {});
    }
    await Deno.symlink("..v1", join(path, "..data"));
    for await (const { name } of Deno.readDir(join(path, "..v1"))) {
      await Deno.symlink(join("..data", name), join(path, name));
    }
    await using fixture = makeDaemon([path]);
    await fixture.daemon.start();
    await fixture.failed("syntax");
    await Deno.symlink("..v2", join(path, "..data_tmp"));
    await Deno.rename(join(path, "..data_tmp"), join(path, "..data"));
    await fixture.loaded("pricing");
  },
);

Deno.test(
  "A watched link that is set to another directory is followed",
  { ignore: !POSIX },
  async () => {
    await using root = await tempDirectory();
    const link = root.file("current");
    for (const [index, release] of ["r1", "r2"].entries()) {
      await Deno.mkdir(root.file(release));
      await writeArtifact(root.file(release), counted(release, release), { scn: SCN + index });
    }
    await Deno.symlink("r1", link);
    await using fixture = makeDaemon([link]);
    await fixture.daemon.start();
    await fixture.loaded("pricing", SCN);
    await publish(root.file("r1"), counted("r1", "changed"), { name: "tax" });
    await fixture.loaded("tax");

    await Deno.symlink("r2", root.file("current.new"));
    await Deno.rename(root.file("current.new"), link);
    await fixture.loaded("pricing", SCN + 1);
    // And the watch is on the new one now.
    await publish(root.file("r2"), counted("r2", "changed"), { scn: SCN + 2 });
    await fixture.loaded("pricing", SCN + 2);
  },
);

Deno.test({
  name:
    "A watched link that leads nowhere for a while is a folder that is missing, and nothing was deleted",
  ignore: !POSIX,
  async fn() {
    await using root = await tempDirectory();
    const [link, release] = [root.file("current"), root.file("release")];
    await Deno.mkdir(release);
    await writeArtifact(release, counted("behind a link", 1));
    await Deno.symlink("release", link);
    await using fixture = makeDaemon([link]);
    await fixture.daemon.start();
    await Deno.rename(release, root.file("away"));
    assertEquals(await watchStates(fixture, 2), ["watching", "missing"]);
    for (let scan = 0; scan < 2; scan++) await fixture.daemon.scan();
    assertEquals(fixture.events.of("deleted"), []);
    await Deno.rename(root.file("away"), release);
    await publish(release, counted("behind a link", 2), { scn: SCN + 1 });
    await fixture.loaded("pricing", SCN + 1);
  },
});

Deno.test("A file in the place of a directory is an error that passes", async () => {
  await using root = await tempDirectory();
  const path = root.file("plugins");
  await Deno.writeTextFile(path, "");
  await using fixture = makeDaemon([path]);
  await fixture.daemon.start();
  for (let scan = 0; scan < 3; scan++) await fixture.daemon.scan();
  assertEquals(await watchStates(fixture, 1), ["error"]);
  assertEquals(fixture.events.of("watch")[0]?.message, "it is not a directory");
  await Deno.remove(path);
  await Deno.mkdir(path);
  await publish(path, counted("file first", 1));
  await fixture.loaded("pricing");
  assertEquals((await watchStates(fixture, 2)).at(-1), "watching");
});

Deno.test({
  name: "A directory that may be listed, and not looked into, is told of, and what lies there too",
  ignore: UNPRIVILEGED === undefined,
  async fn() {
    await using root = await tempDirectory();
    const path = root.file("plugins");
    await Deno.mkdir(path);
    await writeArtifact(path, "export {}");
    await Deno.chmod(path, 0o600);
    await Deno.chmod(root.path, 0o777);
    const { stdout, stderr } = await runScript(
      root.path,
      `import { PluginDaemon } from "project:daemon/mod.ts";
       await using daemon = new PluginDaemon({ watch: [${JSON.stringify(path)}] });
       daemon.subscribe(({ type, code, state }) => console.log(type, code ?? state));
       await daemon.start();`,
      ["-A"],
      UNPRIVILEGED,
    );
    assertEquals(stdout, "watch error\nfailed io\nready undefined\nstopped undefined\n", stderr);
  },
});

Deno.test("One directory that fails keeps no other from being served", async () => {
  await using root = await tempDirectory();
  await Deno.writeTextFile(root.file("file"), "");
  await Deno.mkdir(root.file("plugins"));
  await using fixture = makeDaemon([root.file("file"), root.file("none"), root.file("plugins")]);
  await fixture.daemon.start();
  await publish(root.file("plugins"), counted("one of three", 1));
  await fixture.loaded("pricing");
});

Deno.test("The newest of one plugin in two directories is loaded, wherever it lies", async () => {
  await using first = await tempDirectory();
  await using second = await tempDirectory();
  await writeArtifact(first.path, counted("wherever 2", 2), { scn: SCN + 1 });
  await writeArtifact(second.path, counted("wherever 1", 1));
  await using fixture = makeDaemon([first.path, second.path, first.path]);
  await fixture.daemon.start();
  assertEquals([evaluations("wherever 1"), evaluations("wherever 2")], [0, 1]);
  await publish(second.path, counted("wherever 3", 3), { scn: SCN + 2 });
  await fixture.loaded("pricing", SCN + 2);
  // A lock in one directory says nothing of the other.
  const lock = join(first.path, `.pricing_${SCN + 3}.lock`);
  await Deno.writeTextFile(lock, "{}");
  await publish(second.path, counted("wherever 4", 4), { scn: SCN + 3 });
  await fixture.loaded("pricing", SCN + 3);
});

Deno.test("Of ten thousand artifacts at once the newest of each plugin is loaded, in few scans", async () => {
  await using root = await tempDirectory();
  const [stage, path] = [root.file("stage"), root.file("plugins")];
  await Deno.mkdir(stage);
  await Deno.mkdir(path);
  const names: string[] = [];
  for (let index = 0; index < 10_000; index++) {
    const [plugin, version] = [index % 20, Math.floor(index / 20)];
    const source = `${counted(`burst ${version < 499 ? "older" : "newest"}`, 0)}// ${index}`;
    const { file, parts } = await writeArtifact(stage, source, {
      name: `plugin${plugin}`,
      scn: SCN + (version % 60) + 100 * Math.floor(version / 60),
    });
    names.push(file, `${artifactStem(parts)}.pinf`);
  }
  await using fixture = makeDaemon([path]);
  await fixture.daemon.start();
  using scans = countListings(path);
  const newest = SCN + 19 + 800;
  const started = Deno.memoryUsage().rss;
  // Newest first: then what comes after it must not be opened, whenever a scan falls.
  for (const name of names.toReversed()) {
    if (POSIX) await Deno.link(join(stage, name), join(path, name));
    else await Deno.copyFile(join(stage, name), join(path, name));
  }
  for (let plugin = 0; plugin < 20; plugin++) await fixture.loaded(`plugin${plugin}`, newest);
  await fixture.daemon.scan();
  assertEquals(fixture.daemon.manager.names().length, 20);
  assertEquals(evaluations("burst newest"), 20);
  assertEquals(evaluations("burst older"), 0);
  assert(
    scans.count > 0 && scans.count < names.length / 20,
    `${scans.count} scans for ${names.length} files`,
  );
  const grown = (Deno.memoryUsage().rss - started) / 2 ** 20;
  assert(grown < 200, `memory grew by ${grown} MiB`);
});

/** Counts how often a directory is listed. */
function countListings(path: string): Disposable & { readonly count: number } {
  const { readDir, readDirSync } = Deno;
  let count = 0;
  const counting = <T extends typeof readDir | typeof readDirSync>(read: T): T =>
    ((directory: string) => {
      if (directory === path) count++;
      return read(directory);
    }) as T;
  // On a disk of this machine a folder is listed at one go.
  [Deno.readDir, Deno.readDirSync] = [counting(readDir), counting(readDirSync)];
  return {
    get count() {
      return count;
    },
    [Symbol.dispose]: () => void ([Deno.readDir, Deno.readDirSync] = [readDir, readDirSync]),
  };
}
