import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { ListingMemory } from "../daemon/scan/listing_memory.ts";
import { type TempDirectory, tempDirectory } from "./_temp.ts";

/** A folder with a file `old`, and what is remembered of it. */
async function remembered(): Promise<TempDirectory & { readonly memory: ListingMemory }> {
  const directory = await tempDirectory();
  await Deno.writeTextFile(directory.file("old"), "");
  const memory = new ListingMemory();
  memory.take([{ directory: directory.path, files: ["old"] }]);
  return { ...directory, memory };
}

Deno.test("ListingMemory answers with what was listed, and what was told of as it is by now", async () => {
  await using folder = await remembered();
  for (const name of ["new", "untold"]) await Deno.writeTextFile(folder.file(name), "");
  for (const name of ["new", "gone"]) folder.memory.tell(folder.file(name));
  const files = folder.memory.recall(0)?.map(({ files }) => files);
  assertEquals(files, [["old", "new"]]);

  await Deno.remove(folder.file("old"));
  for (const name of ["old", "new"]) folder.memory.tell(folder.file(name));
  assertEquals(folder.memory.recall(1), [{ directory: folder.path, files: ["new"] }]);
});

Deno.test("ListingMemory leaves it to a listing where nothing, or anything, was told of", async () => {
  await using folder = await remembered();
  assertEquals(folder.memory.recall(0), undefined);
  folder.memory.tell(folder.file("old"));
  folder.memory.tell();
  assertEquals(folder.memory.recall(0), undefined);
  folder.memory.tell(folder.file("old"));
  assertEquals(folder.memory.recall(0), undefined);
});

Deno.test("ListingMemory leaves folders, links, and what lies in folders, to a listing", async () => {
  await using folder = await remembered();
  await Deno.mkdir(folder.file("folder"));
  await Deno.symlink("old", folder.file("link"));
  for (const name of ["folder", "link"]) {
    folder.memory.tell(folder.file(name));
    assertEquals(folder.memory.recall(0), undefined);
  }
  folder.memory.tell(join(folder.path, "folder", "file"));
  assertEquals(folder.memory.recall(0), undefined);
});

Deno.test("ListingMemory leaves a burst to a listing", async () => {
  await using folder = await remembered();
  for (let file = 0; file < 10_000; file++) folder.memory.tell(folder.file(`${file}`));
  assertEquals(folder.memory.recall(0), undefined);
  folder.memory.tell(folder.file("old"));
  assertEquals(folder.memory.recall(0)?.length, 1);
});

Deno.test("ListingMemory answers for a moment only, however much is told of, until the next listing", async () => {
  await using folder = await remembered();
  const recall = (now: number): number | undefined => {
    folder.memory.tell(folder.file("old"));
    return folder.memory.recall(now)?.length;
  };
  assertEquals([0, 60, 99, 100, 160].map(recall), [1, 1, 1, undefined, undefined]);
  folder.memory.take([{ directory: folder.path, files: ["old"] }]);
  assertEquals(recall(170), 1);
});

Deno.test("ListingMemory looks at what was told of while the folders were being listed", async () => {
  await using folder = await remembered();
  folder.memory.begin();
  await Deno.writeTextFile(folder.file("new"), "");
  folder.memory.tell(folder.file("new"));
  folder.memory.take([{ directory: folder.path, files: ["old"] }]);
  assertEquals(folder.memory.recall(0)?.map(({ files }) => files), [["old", "new"]]);
});

Deno.test("ListingMemory takes no listing that was under way when anything was told of", async () => {
  await using folder = await remembered();
  const listing = [{ directory: folder.path, files: ["old"] }];
  const recall = (): number | undefined => {
    folder.memory.take(listing);
    folder.memory.tell(folder.file("old"));
    return folder.memory.recall(0)?.length;
  };
  folder.memory.begin();
  folder.memory.tell();
  assertEquals(recall(), undefined);
  folder.memory.begin();
  assertEquals(recall(), 1);
});

Deno.test("ListingMemory leaves it to a listing where a name can't be looked at", async () => {
  await using folder = await remembered();
  await Deno.writeTextFile(folder.file("folder"), "");
  folder.memory.take([{ directory: folder.file("folder"), files: [] }]);
  folder.memory.tell(join(folder.path, "folder", "file"));
  assertEquals(folder.memory.recall(0), undefined);
});
