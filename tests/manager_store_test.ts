import { assert, assertEquals } from "@std/assert";
import { dirname, fromFileUrl } from "@std/path";
import { PluginManager } from "../manager/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { assertCode } from "./_errors.ts";
import { makePipes } from "./_pipes.ts";
import { jsonLines, runScript, startScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

const WHERE = "export const where = import.meta.url;";

async function privateFolders(directory: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
  return names.filter((name) => name.startsWith("hotplug-run-")).sort();
}

Deno.test("what runs lies in a folder that is private, and gone after close", async () => {
  await using directory = await tempDirectory();
  const { path, info } = await writeArtifact(directory.path, WHERE, { sourceMap: "{}" });
  const manager = new PluginManager();
  const generation = await manager.open(path);
  const placed = fromFileUrl(generation.lookup<string>("where"));
  const folder = dirname(placed);
  assert(placed.endsWith(`${info.content.sha256}.mjs`));
  assertEquals(await Deno.readTextFile(placed), WHERE);
  if (Deno.build.os !== "windows") {
    const mode = async (path: string): Promise<number> =>
      ((await Deno.stat(path)).mode ?? 0) & 0o777;
    assertEquals([await mode(dirname(folder)), await mode(folder)], [0o700, 0o700]);
    const files = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    assertEquals(files.sort(), [`${info.content.sha256}.mjs`, "plugin.mjs.map"].sort());
    for (const file of files) assertEquals(await mode(`${folder}/${file}`), 0o600);
    assertEquals(await mode(`${dirname(folder)}/lock`), 0o600);
  }
  await manager.close();
  const error = await Deno.stat(dirname(folder)).catch((error) => error);
  assert(error instanceof Deno.errors.NotFound);
});

Deno.test("an artifact that changes after its load does not change what runs", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, "export const one = () => 1;");
  await using manager = new PluginManager();
  const generation = await manager.open(path);
  await Deno.remove(path);
  assertEquals(await generation.call("one"), 1);
});

Deno.test("a load that fails leaves no file", async () => {
  await using directory = await tempDirectory();
  const good = await writeArtifact(directory.path, WHERE, { name: "good" });
  const bad = await writeArtifact(directory.path, "throw new Error('no')", { name: "bad" });
  await using manager = new PluginManager();
  const root = dirname(dirname(fromFileUrl((await manager.open(good.path)).lookup("where"))));
  await assertCode(manager.open(bad.path), "load");
  const left = await Array.fromAsync(Deno.readDir(root), ({ name }) => name);
  assertEquals(left.filter((name) => name.startsWith("bad@")), []);
});

Deno.test("a manager whose private folder somebody cleaned up makes another one, and removes it", async () => {
  await using directory = await tempDirectory();
  const files = ["one", "two", "three"].map((name) =>
    writeArtifact(directory.path, WHERE, { name })
  );
  const [one, two, three] = await Promise.all(files);
  const manager = new PluginManager();
  const rootOf = (where: string): string => dirname(dirname(fromFileUrl(where)));
  const generation = await manager.open(one?.path ?? "");
  const root = rootOf(generation.lookup("where"));
  await Deno.remove(root, { recursive: true });
  const later = await Promise.all([two, three].map((each) => manager.open(each?.path ?? "")));
  const [other, same] = later.map((each) => rootOf(each.lookup("where")));
  assert(other !== root);
  assertEquals(other, same);
  assertEquals(generation.lookup<string>("where").includes("one@"), true);
  await manager.close();
  const error = await Deno.stat(other ?? "").catch((error) => error);
  assert(error instanceof Deno.errors.NotFound);
});

Deno.test("without a folder for temporary files nothing loads, the error says so, and later it does", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, WHERE);
  const temporary = directory.file("tmp");
  const { stdout, stderr } = await runScript(
    directory.path,
    `
    import { PluginManager } from "project:manager/mod.ts";
    for (const name of ["TMPDIR", "TMP", "TEMP"]) Deno.env.set(name, ${JSON.stringify(temporary)});
    await using manager = new PluginManager();
    const { code, message } = await manager.open(${JSON.stringify(path)}).catch((error) => error);
    Deno.mkdirSync(${JSON.stringify(temporary)});
    const { scn } = await manager.open(${JSON.stringify(path)});
    console.log(JSON.stringify({ code, message, scn }));
    `,
  );
  const [told] = jsonLines<{ code: string; message: string; scn: number }>(stdout);
  assertEquals([told?.code, told?.scn], ["io", SCN], stderr);
  assert(told?.message.includes(`"${temporary}"`), told?.message);
});

const host = (path: string, then: string): string => `
  import { PluginManager } from "project:manager/mod.ts";
  const manager = new PluginManager();
  const generation = await manager.open(${JSON.stringify(path)});
  console.log("ready");
  ${then}
`;

Deno.test("the folder of a killed host is removed by the next one, that of a live one is not", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, WHERE);
  await using live = await startedHost(directory.path, path);
  const [liveFolder] = await privateFolders(directory.path);
  {
    await using _killed = await startedHost(directory.path, path);
    assertEquals((await privateFolders(directory.path)).length, 2);
  }
  assertEquals((await privateFolders(directory.path)).length, 2);
  const next = await runScript(directory.path, host(path, "await manager.close();"));
  assertEquals(next.code, 0, next.stderr);
  assertEquals(await privateFolders(directory.path), [liveFolder]);
  assert(live);
});

Deno.test("after a restart what runs has the same place, even where the host was killed", async () => {
  if (Deno.build.os === "windows") return;
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, WHERE);
  const tell = `console.log(JSON.stringify({ where: generation.lookup("where") }));`;
  const places: unknown[] = [];
  for (const end of ["await manager.close();", "Deno.kill(Deno.pid, 'SIGKILL');", "Deno.exit();"]) {
    const { stdout, stderr } = await runScript(directory.path, host(path, `${tell} ${end}`));
    const [told] = jsonLines<{ where: string }>(stdout);
    places.push(told?.where);
    assert(told, stderr);
  }
  assertEquals(new Set(places).size, 1, `${places}`);
});

Deno.test("two hosts at the same time, and one whose place somebody else has, have one each", async () => {
  if (Deno.build.os === "windows") return;
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, WHERE);
  const uid = (await Deno.stat(directory.path)).uid;
  // As whoever may write into a common folder would make it: to look into what is run from there.
  await Deno.mkdir(directory.file(`hotplug-run-${uid}-0`), { mode: 0o777 });
  await Deno.chmod(directory.file(`hotplug-run-${uid}-0`), 0o777);
  await Deno.symlink(directory.path, directory.file(`hotplug-run-${uid}-1`));
  {
    await using _one = await startedHost(directory.path, path);
    await using _two = await startedHost(directory.path, path);
    const all = await privateFolders(directory.path);
    assertEquals(all.map((name) => name.split("-").at(-1)), ["0", "1", "2", "3"]);
    assertEquals(await Array.fromAsync(Deno.readDir(directory.file(all[0] ?? ""))), []);
  }
  const next = await runScript(directory.path, host(path, "await manager.close();"));
  assertEquals(next.code, 0, next.stderr);
  assertEquals((await privateFolders(directory.path)).length, 2);
});

Deno.test("what else has such a name keeps no host from loading", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, WHERE);
  await Deno.writeTextFile(directory.file("hotplug-run-file"), "");
  await Deno.mkdir(directory.file("hotplug-run-empty"));
  await Deno.mkdir(directory.file("hotplug-run-folder", "lock"), { recursive: true });
  await Deno.symlink("nowhere", directory.file("hotplug-run-dangling"));
  if (Deno.build.os !== "windows") {
    await Deno.mkdir(directory.file("hotplug-run-fifo"));
    await makePipes(directory.file("hotplug-run-fifo", "lock"));
  }
  const { code, stderr } = await runScript(directory.path, host(path, "await manager.close();"));
  assertEquals(code, 0, stderr);
  assert((await privateFolders(directory.path)).includes("hotplug-run-folder"));
});

/** A host in a process of its own that has loaded the artifact; killed at the scope's end. */
async function startedHost(directory: string, path: string): Promise<AsyncDisposable> {
  const child = await startScript(directory, host(path, "setInterval(() => {}, 60_000);"));
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value), "ready\n");
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGKILL");
      await Promise.all([
        child.status,
        child.stdin.close(),
        child.stderr.cancel(),
        reader.cancel(),
      ]);
    },
  };
}
