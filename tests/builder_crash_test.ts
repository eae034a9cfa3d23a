import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import {
  formatArtifactName,
  infoFileName,
  lockFileName,
  parseInfo,
  sha256,
  tryParseArtifactName,
} from "../artifact/mod.ts";
import { build } from "../builder/mod.ts";
import { formatOwner, thisOwner } from "../builder/files/owner.ts";
import { sweepDestination } from "../builder/files/sweep.ts";
import { sweepWorkFolders } from "../builder/files/work_folder.ts";
import { type BuilderFixture, builderFixture, PRICING, spawnBuild } from "./_builder_fixture.ts";

const KILLS = Number(Deno.env.get("HOTPLUG_TEST_KILLS") ?? 12);

/** Every file belongs to an artifact whose digests hold, and nothing else lies there. */
async function assertWhole({ dest, list }: BuilderFixture): Promise<number> {
  const expected: string[] = [];
  for (const file of await list()) {
    const name = tryParseArtifactName(file);
    if (name === undefined) continue;
    const { info } = parseInfo(await Deno.readFile(join(dest, infoFileName(name))));
    assertEquals(info.artifact.sha256, sha256(await Deno.readFile(join(dest, file))));
    const map = info.sourceMap?.file ?? "";
    assertEquals(info.sourceMap?.sha256, sha256(await Deno.readFile(join(dest, map))));
    expected.push(file, infoFileName(name), map);
  }
  assertEquals(await list(), expected.sort());
  return expected.length / 3;
}

async function workFolders(folder: string): Promise<string[]> {
  return await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
}

Deno.test({
  name: "builds killed at any moment leave nothing that the next build does not sweep",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using fixture = await builderFixture();
    const tmp = join(fixture.root, "tmp");
    await Deno.mkdir(tmp);
    const env = { TMPDIR: tmp };
    const began = performance.now();
    const whole = await spawnBuild(PRICING, fixture.dest, env).output();
    const duration = performance.now() - began;
    assert(whole.success, new TextDecoder().decode(whole.stderr));
    for (let kill = 1; kill <= KILLS; kill++) {
      const child = spawnBuild(PRICING, fixture.dest, env);
      const moment = setTimeout(
        () => killIfThere(child),
        duration * (kill / (KILLS + 1)),
      );
      await child.output();
      clearTimeout(moment);
    }
    const last = await spawnBuild(PRICING, fixture.dest, env).output();
    assert(last.success, new TextDecoder().decode(last.stderr));
    assert(await assertWhole(fixture) >= 2);
    assertEquals(await workFolders(tmp), []);
  },
});

function killIfThere(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It ended a moment ago.
  }
}

/** A process that is no more, as owner of what lies about. */
async function deadOwner(): Promise<{ host: string; pid: number; started: string }> {
  const child = new Deno.Command(Deno.execPath(), { args: ["--version"], stdout: "null" }).spawn();
  await child.status;
  return { ...thisOwner(), pid: child.pid };
}

Deno.test("a build sweeps what a dead one left between artifact and info file", async () => {
  await using fixture = await builderFixture({ "mod.ts": "export const a = 1;" });
  const { dest, source } = fixture;
  const owner = await deadOwner();
  const name = {
    name: "b",
    scn: 20260101000000,
    version: "2.9.5",
    os: "any",
    arch: "any",
    mode: "module",
    compression: "none",
  } as const;
  const artifact = formatArtifactName(name);
  const lock = { ...owner, at: new Date().toISOString() };
  await Deno.writeTextFile(join(dest, lockFileName("b", name.scn)), JSON.stringify(lock));
  await Deno.writeTextFile(join(dest, artifact), "export {};");
  await Deno.writeTextFile(join(dest, `${artifact}.map`), "{}");
  const token = formatOwner(owner);
  await Deno.writeTextFile(join(dest, `.${artifact}.tmp-${token}-01234567`), "exp");
  const bare = formatArtifactName({ ...name, scn: 20260101000001 });
  await Deno.writeTextFile(join(dest, bare), "export {};");

  const { artifacts } = await build({ source, dest, name: "a", check: false });
  const own = artifacts.flatMap(({ info }) => [
    info.artifact.file,
    info.sourceMap?.file ?? "",
    infoFileName(tryParseArtifactName(info.artifact.file) ?? name),
  ]);
  assertEquals(await fixture.list(), [bare, ...own].sort());
});

Deno.test("sweepDestination() leaves alone what a living build holds, or one of another host", async () => {
  await using fixture = await builderFixture();
  const { dest } = fixture;
  const at = new Date().toISOString();
  const files: Record<string, string> = {
    [lockFileName("a", 20260101000000)]: JSON.stringify({ ...thisOwner(), at }),
    [lockFileName("b", 20260101000000)]: JSON.stringify({ ...thisOwner(), host: "00000000", at }),
    [lockFileName("c", 20260101000000)]: "cut o",
    [`.x.tmp-${formatOwner(thisOwner())}-01234567`]: "",
  };
  for (const [file, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(dest, file), text);
  }
  await sweepDestination(dest);
  assertEquals(await fixture.list(), Object.keys(files).sort());

  const old = new Date(Date.now() - 2 * 3_600_000);
  for (const file of Object.keys(files)) await Deno.utime(join(dest, file), old, old);
  await sweepDestination(dest);
  assertEquals(await fixture.list(), [
    lockFileName("a", 20260101000000),
    `.x.tmp-${formatOwner(thisOwner())}-01234567`,
  ]);
});

Deno.test({
  name: "sweepWorkFolders() takes a process that came later with the same pid for another one",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using fixture = await builderFixture();
    const [mine, reused] = [thisOwner(), { ...thisOwner(), started: "1" }].map((owner) =>
      `hotplug-build-${formatOwner(owner)}-0123456789ab`
    );
    for (const name of [mine, reused]) {
      await Deno.mkdir(join(fixture.dest, name ?? "", "src/deep"), { recursive: true });
    }
    await sweepWorkFolders(fixture.dest);
    assertEquals(await fixture.list(), [mine ?? ""]);
  },
});

Deno.test({
  name: "sweepWorkFolders() ends what a dead build left running in its folder",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using fixture = await builderFixture();
    const folder = join(
      fixture.dest,
      `hotplug-build-${formatOwner(await deadOwner())}-0123456789ab`,
    );
    await Deno.mkdir(join(folder, "src"), { recursive: true });
    const orphan = new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        "setInterval(() => Deno.mkdirSync('../out/' + Math.random(), { recursive: true }), 1)",
      ],
      cwd: join(folder, "src"),
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const ended = orphan.status;
    // It has begun once its first folder is there.
    for await (const _ of until(() => Deno.stat(join(folder, "out")))) { /* wait */ }
    await sweepWorkFolders(fixture.dest);
    assertEquals((await ended).signal, "SIGKILL");
    assertEquals(await fixture.list(), []);
  },
});

async function* until(look: () => Promise<unknown>): AsyncGenerator<void> {
  while (!await look().then(() => true, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    yield;
  }
}
