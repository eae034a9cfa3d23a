import { assert, assertEquals } from "@std/assert";
import { type JournalEntry, LoadJournal, type UnendedLoad } from "../daemon/state/load_journal.ts";
import { tempDirectory } from "./_temp.ts";

const [FIRST, SECOND] = [20240101000000, 20240101000001] as const;

/** Without the names that tell one load from another. */
function entriesOf(unended: readonly UnendedLoad[]): JournalEntry[] {
  return unended.map(({ load: _, ...entry }) => entry);
}

Deno.test("the journal tells which loads had not ended, whatever was cut short in it", async () => {
  await using directory = await tempDirectory();
  const { journal, unended } = LoadJournal.open(directory.path);
  assertEquals(unended, []);
  const entry = (scn: number) => ({ name: "pricing", scn, path: `p${scn}` });
  const load = await journal.begin(entry(FIRST));
  await journal.begin(entry(SECOND));
  load.end();
  load.end();
  await journal.close();
  await Deno.writeTextFile(directory.file("journal"), `{"id":9,"name":"x","scn":`, {
    append: true,
  });
  const again = LoadJournal.open(directory.path);
  assertEquals(entriesOf(again.unended), [entry(SECOND)]);
  await again.journal.clear();
  await again.journal.close();
  const last = LoadJournal.open(directory.path);
  assertEquals(last.unended, []);
  await last.journal.close();
});

Deno.test("the journal tells what had just been loaded, also once it was written anew", async () => {
  await using directory = await tempDirectory();
  const { journal } = LoadJournal.open(directory.path);
  const load = await journal.begin({ name: "pricing", scn: FIRST, path: "p" });
  load.loaded();
  const found = LoadJournal.open(directory.path);
  assertEquals(found.unended.map(({ scn, loaded }) => [scn, loaded]), [[FIRST, true]]);
  await found.journal.close();
  await journal.close();
  const again = LoadJournal.open(directory.path);
  assertEquals(again.unended.map(({ scn, loaded }) => [scn, loaded]), [[FIRST, true]]);
  await again.journal.close();
});

Deno.test("what is left in the journal of a line cut short is none, whatever is written over it", async () => {
  await using directory = await tempDirectory();
  await using journals = new AsyncDisposableStack();
  const open = opener(directory.path, journals);
  const entry = (path: string): JournalEntry => ({ name: "pricing", scn: FIRST, path });
  const { journal } = open();
  await journal.clear();
  (await journal.begin(entry("a"))).end();
  const path = directory.file("journal");
  const text = (await Deno.readTextFile(path)).replace(/\0+$/, "");
  const cut = `\n${JSON.stringify({ id: 1, ...entry("b".repeat(300) + '{"id":2}') })}`;
  using file = await openAt(path, text.length);
  await file.write(new TextEncoder().encode(cut));
  for (const part of ["c", "d".repeat(200)]) {
    const next = open();
    assertEquals(next.unended, []);
    await next.journal.clear();
    const load = await next.journal.begin(entry(part));
    assertEquals(entriesOf(open().unended), [entry(part)]);
    load.end();
  }
});

/** Opens it as after one that was killed, and has not closed it. */
function opener(folder: string, journals: AsyncDisposableStack) {
  return (): ReturnType<typeof LoadJournal.open> => {
    const opened = LoadJournal.open(folder);
    journals.defer(() => opened.journal.close());
    return opened;
  };
}

async function openAt(path: string, offset: number): Promise<Deno.FsFile> {
  const file = await Deno.open(path, { write: true });
  await file.seek(offset, Deno.SeekMode.Start);
  return file;
}

Deno.test("a journal in which all has ended is gone on with, and begun anew once half full", async () => {
  await using directory = await tempDirectory();
  await using journals = new AsyncDisposableStack();
  const entry = (scn: number) => ({ name: "pricing", scn, path: "p".repeat(1_000) });
  const open = opener(directory.path, journals);
  const noted = async (): Promise<number> =>
    (await Deno.readTextFile(directory.file("journal"))).split('"name"').length - 1;
  const counts: number[] = [];
  for (let process = 0; process < 4; process++) {
    const { journal, unended } = open();
    assertEquals(unended, []);
    await journal.clear();
    for (let load = 0; load < 50; load++) (await journal.begin(entry(FIRST))).end();
    counts.push(await noted());
  }
  assertEquals(counts, [50, 100, 150, 50]);
  // Of the same number as one that has ended before.
  const { journal } = open();
  await journal.clear();
  await journal.begin(entry(SECOND));
  assertEquals(entriesOf(open().unended), [entry(SECOND)]);
});

Deno.test("a journal that is closed holds what has not ended, and nothing else", async () => {
  await using directory = await tempDirectory();
  const { journal } = LoadJournal.open(directory.path);
  const entry = (scn: number) => ({ name: "pricing", scn, path: "x" });
  (await journal.begin(entry(FIRST))).end();
  await journal.begin(entry(SECOND));
  await journal.close();
  const text = (await Deno.readTextFile(directory.file("journal"))).replaceAll("\0", "");
  assertEquals(text.trim().split("\n").length, 1);
  const again = LoadJournal.open(directory.path);
  assertEquals(entriesOf(again.unended), [entry(SECOND)]);
  await again.journal.close();
});

Deno.test("a journal that is full goes on with what is open", async () => {
  await using directory = await tempDirectory();
  const { journal } = LoadJournal.open(directory.path);
  const held = { name: "held", scn: FIRST, path: "p".repeat(1_000) };
  await journal.begin(held);
  for (let left = 1_000; left > 0; left--) {
    (await journal.begin({ name: "pricing", scn: SECOND, path: "p".repeat(400) })).end();
  }
  await journal.close();
  assert((await Deno.stat(directory.file("journal"))).size <= 256 * 1024);
  const again = LoadJournal.open(directory.path);
  assertEquals(entriesOf(again.unended), [held]);
  await again.journal.close();
});

Deno.test("of more loads at once than a journal has room for none is left in it that has ended", async () => {
  await using directory = await tempDirectory();
  const { journal } = LoadJournal.open(directory.path);
  const entries = Array.from({ length: 400 }, (_, n) => ({
    name: `p${n}`,
    scn: FIRST,
    path: "x".repeat(1_000),
  }));
  const loads = await Promise.all(entries.map((each) => journal.begin(each)));
  const first = LoadJournal.open(directory.path);
  assertEquals(entriesOf(first.unended), entries);
  await first.journal.close();
  for (const load of loads) load.end();
  await journal.close();
  const again = LoadJournal.open(directory.path);
  assertEquals(again.unended, []);
  await again.journal.close();
});

Deno.test("loads that begin together are all in the journal", async () => {
  await using directory = await tempDirectory();
  const { journal } = LoadJournal.open(directory.path);
  const entries = Array.from({ length: 50 }, (_, n) => ({ name: `p${n}`, scn: FIRST, path: "x" }));
  await Promise.all(entries.map((each) => journal.begin(each)));
  await journal.close();
  const again = LoadJournal.open(directory.path);
  assertEquals(entriesOf(again.unended), entries);
  await again.journal.close();
});
