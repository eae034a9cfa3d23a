import { assertEquals, assertRejects } from "@std/assert";
import { HotplugError, sha256 } from "../artifact/mod.ts";
import { PluginManager, type VerifiedFiles } from "../manager/mod.ts";
import { writeArtifact } from "./_artifacts.ts";
import { makeHang } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

const [FIRST, SECOND] = [20240101000000, 20240101000001] as const;
const ONE = "export const answer = () => 1;";
const TWO = "export const answer = () => 2;";

Deno.test("what was current is reopened below the floor, a hold and a freeze, by its digest", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, ONE, { scn: FIRST });
  const newer = await writeArtifact(directory.path, TWO, { scn: SECOND });
  await using manager = new PluginManager({ initialScn: SECOND, approve: "all" });
  manager.restore("pricing", { held: SECOND, frozen: true });
  await manager.open(path, { reopen: { sha256: sha256(ONE) } });
  assertEquals(manager.current("pricing")?.scn, FIRST);
  assertEquals(manager.isHeld("pricing", SECOND), true);
  const frozen = await assertRejects(() => manager.open(newer.path), HotplugError);
  assertEquals(frozen.code, "frozen");
  manager.thaw("pricing");
  const held = await assertRejects(() => manager.open(newer.path), HotplugError);
  assertEquals(held.code, "held");
});

Deno.test("what is reopened takes the place of nothing newer that loads meanwhile", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, ONE, { scn: FIRST });
  const newer = await writeArtifact(directory.path, TWO, { scn: SECOND });
  await using manager = new PluginManager();
  const loading = manager.open(newer.path);
  const error = await assertRejects(
    () => manager.open(path, { reopen: { sha256: sha256(ONE) } }),
    HotplugError,
  );
  await loading;
  assertEquals([error.code, manager.current("pricing")?.scn], ["outdated", SECOND]);
  await manager.open(path, { reopen: { sha256: sha256(ONE), condemn: SECOND } });
  assertEquals(manager.current("pricing")?.scn, FIRST);
});

Deno.test("what is reopened in place of a bad one takes no place of something newer that loads meanwhile", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, ONE, { scn: FIRST });
  const bad = await writeArtifact(directory.path, TWO, { scn: SECOND });
  const mended = await writeArtifact(directory.path, TWO, { scn: SECOND + 1 });
  await using manager = new PluginManager();
  await manager.open(bad.path);
  const loading = manager.open(mended.path);
  const error = await assertRejects(
    () => manager.open(path, { reopen: { sha256: sha256(ONE), condemn: SECOND } }),
    HotplugError,
  );
  await loading;
  assertEquals([error.code, manager.current("pricing")?.scn], ["outdated", SECOND + 1]);
  assertEquals(manager.isHeld("pricing", SECOND + 1), false);
});

Deno.test("what is reopened is not opened twice where it is loaded meanwhile", async () => {
  await using directory = await tempDirectory();
  await using kept = await tempDirectory();
  const { path } = await writeArtifact(directory.path, ONE, { scn: FIRST });
  const copy = await writeArtifact(kept.path, ONE, { scn: FIRST });
  await using manager = new PluginManager();
  const loading = manager.open(path);
  const error = await assertRejects(
    () => manager.open(copy.path, { reopen: { sha256: sha256(ONE) } }),
    HotplugError,
  );
  const generation = await loading;
  assertEquals(error.code, "outdated");
  assertEquals(manager.generations("pricing"), [generation]);
});

Deno.test("what is reopened takes no place of what its plugin is frozen at meanwhile", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, ONE, { scn: FIRST });
  await using manager = new PluginManager();
  await manager.open(path);
  await using hang = makeHang();
  const newer = await writeArtifact(directory.path, hang.source, { scn: SECOND });
  const reopen = { sha256: sha256(hang.source) };
  const refused = assertRejects(() => manager.open(newer.path, { reopen }), HotplugError);
  await hang.entered;
  manager.freeze("pricing");
  await hang[Symbol.asyncDispose]();
  assertEquals([(await refused).code, manager.current("pricing")?.scn], ["frozen", FIRST]);
});

Deno.test("a copy with other content is not reopened", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, TWO, { scn: FIRST });
  await using manager = new PluginManager();
  const error = await assertRejects(
    () => manager.open(path, { reopen: { sha256: sha256(ONE) } }),
    HotplugError,
  );
  assertEquals([error.code, manager.names()], ["integrity", []]);
});

Deno.test("verified gets the files that were read, before anything of them runs", async () => {
  await using directory = await tempDirectory();
  const globals = globalThis as { ranOfTests?: boolean };
  const source = "globalThis.ranOfTests = true; export const answer = () => 1;";
  const written = await writeArtifact(directory.path, source, { gzip: true, sourceMap: "{}" });
  await using manager = new PluginManager();
  const seen: VerifiedFiles[] = [];
  const refused = await assertRejects(() =>
    manager.open(written.path, {
      verified: (artifact) => {
        seen.push(artifact);
        throw new HotplugError("memory", "There is no room");
      },
    }), HotplugError);
  assertEquals([refused.code, globals.ranOfTests], ["memory", undefined]);
  const [artifact] = seen;
  assertEquals([artifact?.name, artifact?.sha256], ["pricing", sha256(source)]);
  for (const path of [written.path, written.infoPath]) {
    const name = path.slice(directory.path.length + 1);
    assertEquals(artifact?.files.get(name), await Deno.readFile(path));
  }
  assertEquals(artifact?.files.size, 3);
});

Deno.test({
  name: "a link may lead anywhere in the root that is given, and no further",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    await using outside = await tempDirectory();
    for (const folder of ["a", "b"]) await Deno.mkdir(directory.file(folder));
    const { path, file, infoPath } = await writeArtifact(directory.file("a"), ONE);
    const link = directory.file("b", file);
    await Deno.symlink(path, link);
    await Deno.copyFile(infoPath, directory.file("b", infoPath.slice(directory.file("a").length)));
    await using manager = new PluginManager();
    const error = await assertRejects(() => manager.open(link), HotplugError);
    assertEquals(error.code, "integrity");
    const elsewhere = await assertRejects(
      () => manager.open(link, { root: outside.path }),
      HotplugError,
    );
    assertEquals(elsewhere.code, "integrity");
    assertEquals((await manager.open(link, { root: directory.path })).path, link);
  },
});
