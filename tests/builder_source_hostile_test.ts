import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { builderFixture } from "./_builder_fixture.ts";
import { gzipped, paxRecords, tarBytes, type TarPart } from "./_tar_bytes.ts";
import { zipBytes, type ZipPart } from "./_zip_bytes.ts";

type Case = readonly [what: string, bytes: Uint8Array, message: string];

const PLUGIN = { name: "mod.ts", body: "export const a = 1;" };
const NUL = "\0";

/** Names that no archive may hold, with the word that its refusal has for each. */
const NAMES: readonly (readonly [what: string, name: string, message: string])[] = [
  ["leads out", "../evil.ts", `the part ".."`],
  ["leads out from below", "a/../../evil.ts", `the part ".."`],
  ["ends above", "a/..", `the part ".."`],
  ["goes nowhere", "a/./b.ts", `the part "."`],
  ["is absolute", "/etc/evil.ts", "absolute"],
  ["is a network path", "//host/share/x.ts", "absolute"],
  ["has a drive", "c:/evil.ts", "colon"],
  ["has a drive and no slash", "C:evil.ts", "colon"],
  ["has a hidden stream", "mod.ts:evil", "colon"],
  ["has backslashes", "..\\..\\evil.ts", "backslash"],
  ["is absolute with backslashes", "\\\\host\\x.ts", "backslash"],
  ["steers the terminal", "a\x1b[2Jb.ts", "control"],
  ["has a line break", "a\nb.ts", "control"],
  ["reads the other way round", "a\u202est.exe.ts", "control"],
  ["has an empty part", "a//b.ts", "empty part"],
  ["ends with a dot", "mod.ts.", "dot or a space"],
  ["ends with a space", "mod.ts ", "dot or a space"],
  ["is a device", "aux.ts", "device"],
  ["is a device below", "lib/NUL/x.ts", "device"],
];

async function tarCases(): Promise<Case[]> {
  const tar = (...parts: TarPart[]) => tarBytes([PLUGIN, ...parts]);
  const extended = (type: string, body: string, name = "x.ts") =>
    tar({ name: "header", type, body }, { name, body: "x" });
  const sound = tarBytes([{ ...PLUGIN, body: `// ${"abc".repeat(1000)}` }]);
  const packed = await gzipped(sound);
  const damaged = packed.slice();
  damaged[packed.length - 6] = (damaged[packed.length - 6] ?? 0) ^ 0xff;
  const gigabyte = { ...PLUGIN, name: "big", size: 2 ** 30 };
  return [
    ...NAMES.map(([what, name, message]): Case => [what, tar({ name, body: "x" }), message]),
    ["leads out by its prefix", tar({ name: "x.ts", prefix: "../.." }), `the part ".."`],
    ["leads out as a folder", tar({ name: "../up/", type: "5" }), `the part ".."`],
    ["leads out by pax", extended("x", paxRecords({ path: "../evil.ts" })), `the part ".."`],
    ["leads out by GNU", extended("L", `../evil.ts${NUL}`), `the part ".."`],
    ["names all by pax", extended("g", paxRecords({ path: "/etc/x" })), "all entries"],
    ["two sizes", extended("x", paxRecords({ size: "0" })), "different sizes"],
    [
      "a header of nothing",
      tar({ name: "h", type: "x", body: paxRecords({ path: "b" }) }),
      "follows",
    ],
    ["a header of megabytes", extended("x", "x".repeat(100_000)), "extended header is larger"],
    ["symbolic link", tar({ name: "l", type: "2", link: "/etc/passwd" }), "symbolic link"],
    [
      "link, then through it",
      tar({ name: "l", type: "2", link: "/" }, { name: "l/x" }),
      "symbolic",
    ],
    ["hard link", tar({ name: "l", type: "1", link: "/etc/passwd" }), "hard link"],
    ["character device", tar({ name: "d", type: "3" }), "device"],
    ["block device", tar({ name: "d", type: "4" }), "device"],
    ["pipe", tar({ name: "p", type: "6" }), "pipe"],
    ["sparse file", tar({ name: "s", type: "S", body: "x" }), "sparse"],
    ["unknown kind", tar({ name: "q", type: "Q", body: "x" }), `"Q" is unknown`],
    ["twice", tar(PLUGIN), "twice"],
    ["twice with a dot", tar({ ...PLUGIN, name: "./mod.ts" }), "twice"],
    ["differs in case", tar({ ...PLUGIN, name: "MOD.ts" }), "tell case"],
    ["differs in composition", tar({ name: "\u00e9" }, { name: "e\u0301" }), "tell case"],
    ["file and folder", tar({ name: "mod.ts/x.ts" }), "mod.ts"],
    ["no UTF-8", tar({ name: new Uint8Array([0x61, 0xff, 0x62]) }), "UTF-8"],
    ["no name", tar({ name: "", body: "x" }), "name is empty"],
    ["claims more than there is", tarBytes([PLUGIN, gigabyte]), "Cannot"],
    [
      "claims less than there is",
      tarBytes([{ ...PLUGIN, body: "x".repeat(2000), size: 5 }]),
      "checksum",
    ],
    ["negative size", tar({ name: "x", size: new Uint8Array(12).fill(255) }), "size is no number"],
    ["size in letters", tar({ name: "x", size: "zzzzzzzzzzz" }), "size is no number"],
    ["wrong checksum", tarBytes([{ ...PLUGIN, checksum: "000001\0 " }]), "checksum"],
    ["cut in a file", sound.slice(0, 1024), "Cannot read"],
    ["cut in a block", sound.slice(0, 2000), "Cannot read"],
    ["without its end", sound.slice(0, -1024), "Cannot read"],
    ["cut gzip", packed.slice(0, -20), "Cannot read"],
    ["damaged gzip", damaged, "Cannot read"],
    ["gzip of no tar", await gzipped(new TextEncoder().encode("no tar")), "Cannot read"],
    ["bomb", await gzipped(tar({ name: "b", body: new Uint8Array(4e6) })), "packed size"],
    [
      "bomb where nobody looks",
      await gzipped(tar({ name: "node_modules/b", body: new Uint8Array(4e6) })),
      "packed size",
    ],
    [
      "too many",
      tarBytes(Array.from({ length: 20_001 }, (_, i) => ({ name: `${i}/`, type: "5" }))),
      "20000",
    ],
  ];
}

function zipCases(): Case[] {
  const zip = (...parts: ZipPart[]) => zipBytes([PLUGIN, ...parts]);
  const sound = zip();
  const flipped = sound.slice();
  flipped[40] = (flipped[40] ?? 0) ^ 0xff;
  const body = "abc".repeat(400);
  return [
    ...NAMES.map(([what, name, message]): Case => [what, zip({ name, body: "x" }), message]),
    ["leads out as a folder", zip({ name: "../up/" }), `the part ".."`],
    ["NUL in the name", zip({ name: "mod.ts\0.png" }), "control"],
    ["no UTF-8", zip({ name: new Uint8Array([0x61, 0xff, 0x62]) }), "UTF-8"],
    ["symbolic link", zip({ name: "l", body: "/etc/passwd", mode: 0o120777 }), "symbolic link"],
    ["device", zip({ name: "d", mode: 0o060666 }), "device"],
    ["pipe", zip({ name: "p", mode: 0o010666 }), "pipe"],
    ["twice", zip(PLUGIN), "twice"],
    ["differs in case", zip({ ...PLUGIN, name: "MOD.ts" }), "tell case"],
    ["file and folder", zip({ name: "mod.ts/x.ts" }), "mod.ts"],
    ["encrypted", zip({ name: "s", body: "x".repeat(20), flags: 0x801 }), "encrypted"],
    ["two names", zip({ name: "a.ts", localName: "b.ts" }), "as a .zip"],
    ["claims more", zip({ name: "a", body, deflate: true, claims: { size: 1e6 } }), "as a .zip"],
    ["claims less", zip({ name: "a", body, deflate: true, claims: { size: 3 } }), "as a .zip"],
    [
      "claims one thing twice",
      zip({ name: "a", body, deflate: true, claims: { size: 3 }, localClaims: false }),
      "as a .zip",
    ],
    ["wrong sum", zip({ name: "a", body, claims: { crc: 1 } }), "as a .zip"],
    ["unknown method", zip({ name: "a", body, method: 97 }), "as a .zip"],
    ["damaged", flipped, "as a .zip"],
    ["cut", sound.slice(0, -10), "as a .zip"],
    ["cut in the directory", sound.slice(0, 80), "as a .zip"],
    ["one beginning for two", zip({ ...PLUGIN, name: "b.ts", offset: 0 }), "as a .zip"],
    ["begins past the end", zip({ name: "a", offset: 1e6 }), "as a .zip"],
    ["more than it has", zipBytes([PLUGIN], { count: 9 }), "as a .zip"],
    ["directory elsewhere", zipBytes([PLUGIN], { directoryOffset: 7 }), "as a .zip"],
    ["in several parts", zipBytes([PLUGIN], { disk: 3 }), "as a .zip"],
    ["something behind", zipBytes([PLUGIN], { after: sound }), "as a .zip"],
    ["bomb", zip({ name: "b", body: new Uint8Array(4e6), deflate: true }), "packed size"],
    ["empty", new Uint8Array(), "as a .zip"],
  ];
}

/** Builds all cases in one process with a temporary folder of its own. */
async function assertRefused(cases: readonly Case[], extension: string): Promise<void> {
  await using fixture = await builderFixture();
  const tmp = join(fixture.root, "tmp");
  await Deno.mkdir(tmp);
  for (const [index, [, bytes]] of cases.entries()) {
    const file = `${String(index).padStart(3, "0")}.${extension}`;
    await Deno.writeFile(join(fixture.source, file), bytes);
  }
  const script = fromFileUrl(new URL("./_build_each_child.ts", import.meta.url));
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, fixture.source, fixture.dest],
    cwd: fromFileUrl(new URL("..", import.meta.url)),
    env: { TMPDIR: tmp, TEMP: tmp, TMP: tmp },
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  assertEquals(lines.length, cases.length, new TextDecoder().decode(stderr));
  for (const [index, [what, , part]] of cases.entries()) {
    const { code, message } = JSON.parse(lines[index] ?? "");
    assertEquals(code, "source", `${what}: ${message}`);
    assertStringIncludes(message, part, what);
  }
  assertEquals([...Deno.readDirSync(tmp)].map(({ name }) => name), []);
  assertEquals(await fixture.list(), []);
  const beside = [...Deno.readDirSync(fixture.root)].map(({ name }) => name).sort();
  assertEquals(beside, ["dest", "source", "tmp"]);
}

Deno.test("hostile tars are refused by name, and nothing of them is left on disk", async () => {
  const cases = await tarCases();
  assert(cases.length >= 40);
  await assertRefused(cases, "tar");
});

Deno.test("hostile zips are refused by name, and nothing of them is left on disk", async () => {
  const cases = zipCases();
  assert(cases.length >= 40);
  await assertRefused(cases, "zip");
});
