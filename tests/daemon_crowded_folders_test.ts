import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { crowdedFolders } from "../daemon/watch/crowded_folders.ts";

function paths(folder: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => join(folder, `pipe${index}`));
}

Deno.test("crowdedFolders() names those with the most, as few as will do", () => {
  const all = [...paths("many", 50), ...paths("few", 3), ...paths("some", 10)];
  assertEquals(crowdedFolders([], 10), new Set());
  assertEquals(crowdedFolders(all, 63), new Set());
  assertEquals(crowdedFolders(all, 62), new Set(["many"]));
  assertEquals(crowdedFolders(all, 12), new Set(["some", "many"]));
  assertEquals(crowdedFolders(all, 2), new Set(["few", "some", "many"]));
});

Deno.test("crowdedFolders() chooses the same of equal ones, in whatever order they come", () => {
  const [one, other] = [paths("one", 5), paths("other", 5)];
  assertEquals(crowdedFolders([...one, ...other], 7), new Set(["other"]));
  assertEquals(crowdedFolders([...other, ...one], 7), new Set(["other"]));
});
