import { assert, assertEquals } from "@std/assert";
import { EntryMemory } from "../daemon/scan/entry_memory.ts";

const FILE = "pricing_20240101000000_2_0_0_any_any.mjs";

Deno.test("EntryMemory remembers a name from one scan to the next", () => {
  const memory = new EntryMemory();
  memory.turn();
  const entry = memory.read(FILE);
  assertEquals(entry.kind === "artifact" && entry.parts.scn, 20240101000000);
  memory.turn();
  assert(memory.read(FILE) === entry);
  assert(memory.read(FILE) === entry);
});

Deno.test("EntryMemory forgets what a scan did not meet", () => {
  const memory = new EntryMemory();
  memory.turn();
  const entry = memory.read(FILE);
  memory.turn();
  memory.read("README.md");
  memory.turn();
  assert(memory.read(FILE) !== entry);
});
