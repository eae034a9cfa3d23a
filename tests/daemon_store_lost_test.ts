import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { formatArtifactName, formatInfo, infoFileName } from "../artifact/mod.ts";
import { findBytes } from "../daemon/state/found_bytes.ts";
import { writeArtifact } from "./_artifacts.ts";
import { type DaemonFixture, publish } from "./_daemon.ts";
import { type StatePlace, statePlace } from "./_state_place.ts";
import { tempDirectory } from "./_temp.ts";

const [FIRST, SECOND] = [20240101000000, 20240101000001] as const;

async function publishVersion({ plugins }: StatePlace, name: string, scn: number): Promise<void> {
  await publish(plugins, `export const answer = () => ${scn};`, { name, scn, sourceMap: "{}" });
}

/** A daemon that has two plugins, all of which is written down. */
async function running(at: StatePlace): Promise<DaemonFixture> {
  await publishVersion(at, "a", FIRST);
  await publishVersion(at, "b", FIRST);
  const fixture = await at.start();
  // Done once the state is on the disk.
  await fixture.daemon.freeze("later");
  return fixture;
}

/** What is kept, by plugin and version, with how many files it has. */
function kept({ state }: StatePlace): Record<string, number> {
  const store = join(state, "store");
  return Object.fromEntries(
    Array.from(Deno.readDirSync(store), ({ name }) =>
      [
        name.replace(/-[0-9a-f]{16}$/, ""),
        [...Deno.readDirSync(join(store, name))].length,
      ] as const).sort(),
  );
}

async function removeArtifacts({ plugins }: StatePlace, name: string): Promise<void> {
  for await (const each of Deno.readDir(plugins)) {
    if (each.name.startsWith(`${name}_`)) await Deno.remove(join(plugins, each.name));
  }
}

Deno.test("a store that is gone is made again, with all that serves, from where it was found", async () => {
  await using at = await statePlace();
  {
    await using fixture = await running(at);
    await Deno.remove(join(at.state, "store"), { recursive: true });
    await publishVersion(at, "a", SECOND);
    await fixture.loaded("a", SECOND);
    await fixture.daemon.freeze("later");
    assertEquals(kept(at), { [`a@${FIRST}`]: 3, [`a@${SECOND}`]: 3, [`b@${FIRST}`]: 3 });
    if (Deno.build.os !== "windows") {
      const { mode } = await Deno.stat(join(at.state, "store"));
      assertEquals((mode ?? 0) & 0o777, 0o700);
    }
    assertEquals(fixture.events.of("state"), []);
  }
  await removeArtifacts(at, "a");
  await removeArtifacts(at, "b");
  await using after = await at.start();
  assertEquals(
    ["a", "b"].map((name) => after.daemon.manager.current(name)?.scn),
    [SECOND, FIRST],
  );
});

Deno.test("what is gone from the store is kept again at the next write, and is no newer for it", async () => {
  await using at = await statePlace();
  await using fixture = await running(at);
  const store = join(at.state, "store");
  const [folder] = Array.from(Deno.readDirSync(store), ({ name }) => name)
    .filter((name) => name.startsWith("b@"));
  const [artifact] = Array.from(Deno.readDirSync(at.plugins), ({ name }) => name)
    .filter((name) => /^b_.*\.mjs$/.test(name));
  assert(folder && artifact);
  const long = new Date("2024-01-01T00:00:00Z");
  await Deno.utime(join(at.plugins, artifact), long, long);
  await Deno.remove(join(store, folder), { recursive: true });
  await fixture.daemon.thaw("later");
  assertEquals(kept(at), { [`a@${FIRST}`]: 3, [`b@${FIRST}`]: 3 });
  assertEquals((await Deno.stat(join(store, folder, artifact))).mtime, long);
  assertEquals(fixture.events.of("state"), []);
});

Deno.test("what was reopened and is rolled back to is back after a restart: it is kept from where it was found", async () => {
  await using at = await statePlace();
  const THIRD = SECOND + 1;
  await publishVersion(at, "a", FIRST);
  await (await at.start()).daemon.close();
  // It comes while nobody looks: what is reopened first is current for a moment only.
  await publishVersion(at, "a", SECOND);
  {
    await using fixture = await at.start();
    await fixture.loaded("a", SECOND);
    await publishVersion(at, "a", THIRD);
    await fixture.loaded("a", THIRD);
    await fixture.daemon.freeze("later");
    assertEquals(Object.keys(kept(at)), [`a@${SECOND}`, `a@${THIRD}`]);
    assertEquals((await fixture.daemon.rollback("a", { to: FIRST })).scn, FIRST);
    assertEquals(Object.keys(kept(at)), [`a@${FIRST}`]);
    assertEquals(fixture.events.of("state"), []);
  }
  await using after = await at.start();
  assertEquals(after.daemon.manager.current("a")?.scn, FIRST);
});

Deno.test("what is gone from the store and from its folder is told, once, and that all is written is not", async () => {
  await using at = await statePlace();
  await using fixture = await running(at);
  await removeArtifacts(at, "b");
  // Other bytes under its name are not what was kept.
  await publish(at.plugins, "export const answer = () => 0;", { name: "a", scn: FIRST });
  await Deno.remove(join(at.state, "store"), { recursive: true });
  // For a while it can't be made again.
  await Deno.writeTextFile(join(at.state, "store"), "");
  await fixture.daemon.thaw("later").catch(() => {});
  await Deno.remove(join(at.state, "store"));
  await fixture.daemon.freeze("later");
  await fixture.daemon.thaw("later");
  assertEquals(kept(at), {});
  const told = fixture.events.of("state").map(({ state, name, message }) => [
    state,
    name,
    message.includes("All is written down"),
  ]);
  // The plugins are told of in the order in which they were loaded, which was at once.
  assertEquals([told[0], ...told.slice(1, 3).sort(), ...told.slice(3)], [
    ["unwritable", undefined, false],
    ["unkept", "a", false],
    ["unkept", "b", false],
    ["writable", undefined, false],
  ]);
});

Deno.test("an executable is only kept again where its file is still the one that its info file tells of", async () => {
  await using directory = await tempDirectory();
  const { parts, path, info } = await writeArtifact(directory.path, "the program");
  const executable = { ...parts, mode: "executable", os: "linux", arch: "amd64" } as const;
  const file = formatArtifactName(executable);
  const runtime = { ...info.runtime, os: "linux", arch: "amd64" } as const;
  const own = {
    ...info,
    mode: "executable",
    runtime,
    artifact: { ...info.artifact, file },
  } as const;
  const infoFile = infoFileName(executable);
  await Deno.rename(path, directory.file(file));
  await Deno.writeTextFile(directory.file(infoFile), formatInfo(own));
  const kept = { scn: FIRST, sha256: info.content.sha256, file, path: directory.file(file) };
  const found = await findBytes(kept, 1_000);
  // Its own bytes are copied from where it lies.
  assertEquals([found?.path, [...found?.files.keys() ?? []]], [kept.path, [infoFile]]);
  await Deno.writeTextFile(kept.path, "the Program");
  assertEquals(await findBytes(kept, 1_000), undefined);
  await Deno.remove(kept.path);
  assertEquals(await findBytes(kept, 1_000), undefined);
});
