import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { listDirectories } from "../daemon/scan/list_directories.ts";
import { makeDaemon, publish, startDaemon } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

const ignore = Deno.build.os === "windows";
const ANSWER = "export const answer = () => 1;";

async function listed(directory: string): Promise<string[]> {
  const listings = await listDirectories([directory], { recursive: true, failed: () => {} });
  return listings.flatMap(({ directory: folder, files }) =>
    files.map((file) => join(folder, file).slice(directory.length + 1))
  ).sort();
}

Deno.test("recursively, a daemon finds what is in folders, those that come later too", async () => {
  await using directory = await tempDirectory();
  await Deno.mkdir(directory.file("team", "a"), { recursive: true });
  await publish(directory.file("team", "a"), ANSWER, { name: "first" });
  await using fixture = makeDaemon([directory.path], { recursive: true });
  await fixture.daemon.start();
  await fixture.loaded("first");
  // By an event: the timer is too slow.
  await publish(directory.file("team", "a"), ANSWER, { name: "second" });
  await fixture.loaded("second");
  await Deno.mkdir(directory.file("team", "b", "c"), { recursive: true });
  await publish(directory.file("team", "b", "c"), ANSWER, { name: "third" });
  await fixture.loaded("third");
  await publish(directory.file("team", "b", "c"), ANSWER, { name: "fourth" });
  await fixture.loaded("fourth");
  await Deno.remove(directory.file("team", "b"), { recursive: true });
  await Deno.mkdir(directory.file("team", "b"));
  await publish(directory.file("team", "b"), ANSWER, { name: "fifth" });
  await fixture.loaded("fifth");
  assertEquals(fixture.daemon.status().watch.map(({ state }) => state), ["watching"]);
});

Deno.test("recursively, nothing is too deep for a daemon, now and later", async () => {
  await using directory = await tempDirectory();
  const deep = directory.file(...Array.from({ length: 50 }, (_, n) => String(n)));
  await Deno.mkdir(deep, { recursive: true });
  await publish(deep, ANSWER, { name: "first" });
  await using fixture = makeDaemon([directory.path], { recursive: true });
  await fixture.daemon.start();
  await fixture.loaded("first");
  await publish(deep, ANSWER, { name: "second" });
  await fixture.loaded("second");
});

Deno.test({
  name: "a folder so deep that no path leads there is told, and all others are listed",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using directory = await tempDirectory();
    await Deno.writeTextFile(directory.file("x"), "");
    const folders = (count: number) => Array.from({ length: count }, () => "d".repeat(250));
    const deep = directory.file(...folders(15));
    await Deno.mkdir(deep, { recursive: true });
    // No more than 4096 bytes are a path: what is below is moved there.
    await using moved = await tempDirectory();
    await Deno.mkdir(moved.file(...folders(3)), { recursive: true });
    await Deno.rename(moved.file(...folders(1)), join(deep, "d"));
    const failed: string[] = [];
    const how = { recursive: true, failed: (folder: string) => void failed.push(folder) };
    const listings = await listDirectories([directory.path], how);
    assertEquals(listings[0]?.files.includes("x"), true);
    assertEquals([failed.length, failed[0]?.startsWith(directory.path)], [1, true]);
  },
});

Deno.test("without recursive, folders in a directory are left alone", async () => {
  await using directory = await tempDirectory();
  await Deno.mkdir(directory.file("team"));
  await publish(directory.file("team"), ANSWER);
  await using fixture = makeDaemon([directory.path]);
  await fixture.daemon.start();
  await fixture.daemon.scan();
  assertEquals(fixture.daemon.manager.names(), []);
});

Deno.test({
  name: "links to folders are followed inside the directory, once each, and never in a circle",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    await using outside = await tempDirectory();
    await Deno.mkdir(directory.file("a"));
    await Deno.writeTextFile(directory.file("a", "x"), "");
    await Deno.writeTextFile(outside.file("secret"), "");
    await Deno.symlink("..", directory.file("a", "up"));
    await Deno.symlink("a", directory.file("b"));
    await Deno.symlink(outside.path, directory.file("c"));
    assertEquals(await listed(directory.path), ["a", "a/up", "a/x", "b", "c"]);
  },
});

Deno.test({
  name: "recursively, a folder of which Kubernetes makes a volume is read once, by its links",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const volume = directory.file("..2026_01_01", "team");
    await Deno.mkdir(volume, { recursive: true });
    const { file, infoPath } = await publish(volume, ANSWER);
    await Deno.symlink("..2026_01_01", directory.file("..data"));
    await Deno.symlink("..data/team", directory.file("team"));
    const names = [file, infoPath.slice(volume.length + 1)].map((name) => `team/${name}`);
    assertEquals((await listed(directory.path)).filter((each) => each.includes("/")), names.sort());
    await using fixture = makeDaemon([directory.path], { recursive: true });
    await fixture.daemon.start();
    await fixture.loaded("pricing");
    assertEquals(fixture.events.of("failed"), []);
  },
});

Deno.test("that what is current went with its folder in a directory is noted, and it serves on", async () => {
  await using fixture = await startDaemon({ recursive: true });
  const folder = join(fixture.path, "in", "deep");
  await Deno.mkdir(folder, { recursive: true });
  const { path } = await publish(folder, ANSWER);
  await fixture.loaded("pricing");
  await Deno.remove(join(fixture.path, "in"), { recursive: true });
  const event = await fixture.events.next(({ type }) => type === "deleted");
  assertEquals(event.type === "deleted" && event.path, path);
  assertEquals(await fixture.daemon.manager.current("pricing")?.call("answer"), 1);
});

Deno.test("that a file is in the place of the folder of what is current is noted, and it serves on", async () => {
  await using fixture = await startDaemon({ recursive: true });
  const folder = join(fixture.path, "in", "deep");
  await Deno.mkdir(folder, { recursive: true });
  const { path } = await publish(folder, ANSWER);
  await fixture.loaded("pricing");
  await Deno.writeTextFile(join(fixture.path, "file"), "");
  await Deno.rename(join(fixture.path, "in"), join(fixture.path, ".in"));
  await Deno.rename(join(fixture.path, "file"), join(fixture.path, "in"));
  const event = await fixture.events.next(({ type }) => type === "deleted");
  assertEquals(event.type === "deleted" && event.path, path);
  assertEquals(await fixture.daemon.manager.current("pricing")?.call("answer"), 1);
});
