import { assertEquals } from "@std/assert";
import { newestNames } from "../daemon/scan/newest_names.ts";
import { publish, startDaemon } from "./_daemon.ts";
import { makeDaemon } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

const scnOf = (index: number): number => 20240101000000 + index;

function names(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}_${scnOf(index)}_2_0_0_any_any`)
    .flatMap((stem) => [`${stem}.mjs`, `${stem}.pinf`, `${stem}.mjs.map`]);
}

Deno.test("of each plugin the newest names are left, with what belongs to them, and the current one", () => {
  const rest = ["README", ".pricing_20240101000000.lock", "x_y_z_1_2_3", "_".repeat(20)];
  const files = [...names("pricing", 20), ...names("a_b", 2), ...rest];
  const { listings: [left], deeper } = newestNames([{ directory: "d", files }], {
    depth: () => 2,
    currentScn: () => scnOf(3),
  });
  const wanted = [scnOf(3), scnOf(18), scnOf(19)].map(String);
  const expected = files.filter((file) =>
    !file.startsWith("pricing") || wanted.some((scn) => file.includes(scn))
  );
  assertEquals(left?.files, expected);
  assertEquals([...deeper], [["pricing", scnOf(17)]]);
});

Deno.test("a file that is not done makes no plugin by itself", () => {
  const [artifact = ""] = names("pricing", 1);
  const all = { depth: () => 2, currentScn: () => undefined };
  for (const file of [`${artifact}~`, `${artifact}.tmp`, `${artifact}.part`, `.${artifact}`]) {
    const alone = newestNames([{ directory: "d", files: [file] }], all);
    assertEquals([alone.names.has("pricing"), alone.names.has(".pricing")], [false, false], file);
    const beside = newestNames([{ directory: "d", files: [file, artifact] }], all);
    assertEquals(beside.names.has("pricing"), true);
  }
});

Deno.test("the newest of all folders together are left, in whichever order the names come", () => {
  const all = names("pricing", 40);
  const shuffled = [...all].sort((a, b) =>
    [...a].reverse().join() < [...b].reverse().join() ? -1 : 1
  );
  for (const files of [all, all.toReversed(), shuffled]) {
    for (let current = 0; current < 40; current++) {
      const halves = [files.slice(0, 60), files.slice(60)];
      const { listings, deeper } = newestNames(
        halves.map((half, index) => ({ directory: `d${index}`, files: half })),
        { depth: () => 3, currentScn: () => scnOf(current) },
      );
      const wanted = [scnOf(current), scnOf(37), scnOf(38), scnOf(39)].map(String);
      const isWanted = (file: string): boolean => wanted.some((scn) => file.includes(scn));
      assertEquals(listings.map((each) => each.files), halves.map((half) => half.filter(isWanted)));
      assertEquals([...deeper], [["pricing", scnOf(36)]]);
    }
  }
});

Deno.test("where the newest twenty are no good, the next older one is loaded all the same", async () => {
  await using directory = await tempDirectory();
  await publish(directory.path, "export const a = 1;", { scn: scnOf(0) });
  for (let index = 1; index <= 20; index++) {
    await publish(directory.path, "export const a = ;", { scn: scnOf(index) });
  }
  await using fixture = makeDaemon([directory.path]);
  await fixture.daemon.start();
  await fixture.loaded("pricing", scnOf(0));
  assertEquals(fixture.events.of("failed").length, 20);
});

Deno.test("where the newest twenty are for a newer Deno, the next older one is loaded", async () => {
  await using directory = await tempDirectory();
  await publish(directory.path, "export const a = 1;", { scn: scnOf(0) });
  for (let index = 1; index <= 20; index++) {
    await publish(directory.path, "export const a = 1;", { scn: scnOf(index), version: "2.99.0" });
  }
  await using fixture = makeDaemon([directory.path]);
  await fixture.daemon.start();
  assertEquals(fixture.daemon.manager.current("pricing")?.scn, scnOf(0));
});

Deno.test("a newer one above many bad ones, and one below them above the current one, are found", async () => {
  await using fixture = await startDaemon();
  const { path, loaded } = fixture;
  await publish(path, "export const a = 1;", { scn: scnOf(0) });
  await loaded("pricing", scnOf(0));
  await fixture.daemon.freeze("pricing");
  await publish(path, "export const a = 2;", { scn: scnOf(1) });
  for (let index = 2; index <= 15; index++) {
    await publish(path, "export const a = ;", { scn: scnOf(index) });
  }
  await fixture.daemon.thaw("pricing");
  await loaded("pricing", scnOf(1));
});
