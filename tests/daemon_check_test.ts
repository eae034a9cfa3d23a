import { assertEquals } from "@std/assert";
import { basename } from "@std/path";
import { checkDaemon, type DaemonOptions, PluginDaemon } from "../daemon/mod.ts";
import { writeArtifact } from "./_artifacts.ts";
import { tempDirectory } from "./_temp.ts";

const [FIRST, SECOND] = [20240101000000, 20240101000001] as const;

/** What would be loaded of each plugin, and which codes keep what else out. */
async function wouldLoad(
  options: DaemonOptions,
): Promise<[string, number | undefined, string[]][]> {
  const { plugins } = await checkDaemon(options);
  return plugins.map(({ name, scn, refused }) => [
    name,
    scn,
    refused.map(({ path, code }) => `${basename(path)} ${code}`),
  ]);
}

Deno.test("A check goes by what is remembered: rollbacks, freezes, quarantine, and what is reopened", async () => {
  await using directory = await tempDirectory();
  const watch = directory.file("plugins");
  await Deno.mkdir(watch);
  const options = { watch: [watch], state: directory.file("state") };
  const write = (name: string, scn: number): Promise<unknown> =>
    writeArtifact(watch, `export const scn = ${scn};`, { name, scn });
  for (const name of ["back", "cold", "gone"]) await write(name, FIRST);
  {
    await using daemon = new PluginDaemon(options);
    await daemon.start();
    await write("back", SECOND);
    await daemon.scan();
    await daemon.rollback("back");
    await daemon.freeze("cold");
  }
  await write("cold", SECOND);
  await Deno.remove(`${watch}/gone_${FIRST}_2_0_0_any_any.mjs`);
  // As one that had been loading twice as the process ended.
  const file = `${options.state}/state.json`;
  const state = JSON.parse(await Deno.readTextFile(file));
  state.plugins.push({
    ...{ name: "loops", floor: 0, held: 0, frozen: false, suspects: [] },
    quarantine: [{ scn: SECOND, path: "loops", since: "2024-01-01", reason: "it ended twice" }],
  });
  await Deno.writeTextFile(file, JSON.stringify(state));
  for (const scn of [FIRST, SECOND]) await write("loops", scn);

  assertEquals(await wouldLoad(options), [
    ["back", FIRST, [`back_${SECOND}_2_0_0_any_any.mjs held`]],
    ["cold", FIRST, [`cold_${SECOND}_2_0_0_any_any.mjs frozen`]],
    ["gone", FIRST, []],
    ["loops", FIRST, [`loops_${SECOND}_2_0_0_any_any.mjs quarantined`]],
  ]);
  await using daemon = new PluginDaemon(options);
  await daemon.start();
  // And so it comes.
  for (const name of ["back", "cold", "gone", "loops"]) {
    assertEquals(daemon.manager.current(name)?.scn, FIRST, name);
  }
});

Deno.test({
  name: "A check follows links as a daemon does: anywhere in the watched folder, and not out of it",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    const watch = directory.file("plugins");
    for (const each of ["shelf", "pool"]) await Deno.mkdir(`${watch}/${each}`, { recursive: true });
    for (
      const [name, folder] of [["inside", `${watch}/pool`], ["outside", directory.path]] as const
    ) {
      const { path, infoPath } = await writeArtifact(folder, "export const a = 1;", { name });
      for (const each of [path, infoPath]) {
        await Deno.symlink(each, `${watch}/shelf/${basename(each)}`);
      }
    }
    // Else it would be found where it lies, too.
    await Deno.rename(`${watch}/pool`, `${watch}/.pool`);
    for (const { name } of Deno.readDirSync(`${watch}/.pool`)) {
      await Deno.remove(`${watch}/shelf/${name}`);
      await Deno.symlink(`../.pool/${name}`, `${watch}/shelf/${name}`);
    }
    const { plugins } = await checkDaemon({ watch: [watch], recursive: true });
    assertEquals(
      plugins.map(({ name, scn, refused: [why] }) => [name, scn !== undefined, why?.code]),
      [
        ["inside", true, undefined],
        ["outside", false, "integrity"],
      ],
    );
  },
});
