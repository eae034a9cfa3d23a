import { assertEquals, assertRejects } from "@std/assert";
import { ArtifactStore } from "../daemon/state/artifact_store.ts";
import { KeptBytes } from "../daemon/state/kept_bytes.ts";
import { NO_RECORD } from "../daemon/state/state_record.ts";
import { writeArtifact } from "./_artifacts.ts";
import { tempDirectory } from "./_temp.ts";

Deno.test("what can't be kept of one plugin hinders no other, and is tried again", async () => {
  await using directory = await tempDirectory();
  const store = await ArtifactStore.open(directory.path);
  const bytes = new KeptBytes(store, 1_000, () => {});
  const records = new Map();
  for (const name of ["a", "b"]) {
    const { parts, path, file, info } = await writeArtifact(directory.path, "1;", { name });
    const content = { name, scn: parts.scn, path, sha256: info.content.sha256 };
    const files = new Map([[file, await Deno.readFile(path)]]);
    bytes.hold({ ...content, files })(true);
    // From now on it can't be had from where it was found.
    await Deno.remove(path);
    records.set(name, { ...NO_RECORD, current: { ...content, file } });
  }
  const keep = store.keep.bind(store);
  store.keep = async (name, ...rest) => {
    if (name === "a") throw new Error("no room for it");
    await keep(name, ...rest);
  };
  await assertRejects(() => bytes.settle(records), Error, "no room for it");
  const isKept = (name: string): boolean => store.has(name, records.get(name).current);
  assertEquals([isKept("a"), isKept("b")], [false, true]);
  store.keep = keep;
  assertEquals([await bytes.settle(records), isKept("a"), isKept("b")], [true, true, true]);
});
