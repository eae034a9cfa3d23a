import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { TextReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { build } from "../builder/mod.ts";
import { builderFixture, failureOf, PRICING } from "./_builder_fixture.ts";

interface Entry {
  readonly path: string;
  readonly text?: string;
  readonly password?: string;
  readonly unixMode?: number;
}

async function zip(entries: readonly Entry[]): Promise<Uint8Array> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  for (const { path, text, password, unixMode } of entries) {
    await writer.add(path, text === undefined ? undefined : new TextReader(text), {
      directory: text === undefined,
      ...(password ? { password } : {}),
      ...(unixMode === undefined ? {} : { unixMode, versionMadeBy: 3 << 8 }),
    });
  }
  return await writer.close();
}

/** A name that the library would not write itself is put in the place of one of the same length. */
function renamed(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const [text, wanted] = [new TextEncoder().encode(from), new TextEncoder().encode(to)];
  if (text.length !== wanted.length) throw new Error("the names differ in length");
  const copy = bytes.slice();
  for (let at = 0; at <= copy.length - text.length; at++) {
    if (text.every((byte, index) => copy[at + index] === byte)) copy.set(wanted, at);
  }
  return copy;
}

const PLUGIN: Entry = { path: "mod.ts", text: "export const a = 1;" };

async function workFolders(): Promise<string[]> {
  const folder = Deno.env.get("TMPDIR") ?? "/tmp";
  const own = new RegExp(`^hotplug-build-[0-9a-f]{8}-${Deno.pid}-`);
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names.filter((name) => own.test(name));
}

Deno.test("build() makes the same module of a directory and of a zip with it in a top folder", async () => {
  await using fixture = await builderFixture();
  const read = async (path: string) => ({
    path: `pricing-main/${path}`,
    text: await Deno.readTextFile(join(PRICING, path)),
  });
  const source = join(fixture.root, "pricing-main.zip");
  await Deno.writeFile(
    source,
    await zip([
      { path: "pricing-main/" },
      await read("deno.json"),
      await read("mod.ts"),
      await read("lib/discount.ts"),
      { path: "__MACOSX/pricing-main/._mod.ts", text: "\0" },
    ]),
  );
  const fromZip = await build({ source, dest: fixture.dest, check: false });
  const fromFolder = await build({ source: PRICING, dest: fixture.dest, check: false });
  assertEquals(fromZip.name, "pricing");
  assertEquals(fromZip.artifacts[0]?.content, fromFolder.artifacts[0]?.content);
  assertEquals(fromZip.artifacts[0]?.info.source, fromFolder.artifacts[0]?.info.source);
});

Deno.test("build() refuses a hostile zip by name, and leaves nothing behind", async () => {
  await using fixture = await builderFixture();
  const placeholder = (path: string) => zip([PLUGIN, { path, text: "x" }]);
  const sound = await zip([PLUGIN]);
  const cases: [what: string, bytes: Uint8Array, part: string][] = [
    ["leads out", renamed(await placeholder("aa/evil.ts"), "aa/evil", "../evil"), `".."`],
    ["absolute", renamed(await placeholder("aetc/x.ts"), "aetc", "/etc"), "absolute"],
    ["drive", renamed(await placeholder("cz/x.ts"), "cz/", "c:/"), "colon"],
    ["backslash", renamed(await placeholder("aaazx.ts"), "aaazx", "..\\.."), "Cannot unpack"],
    ["control", renamed(await placeholder("a-x.ts"), "a-x", "a\x07x"), "control"],
    ["twice", renamed(await placeholder("mox.ts"), "mox.ts", "mod.ts"), "twice"],
    ["case", await placeholder("MOD.ts"), "tell case"],
    ["file and folder", await placeholder("mod.ts/x"), `"mod.ts"`],
    ["link", await zip([PLUGIN, { path: "l", text: "/etc", unixMode: 0o120777 }]), "symbolic"],
    ["device", await zip([PLUGIN, { path: "d", text: "", unixMode: 0o020666 }]), "device"],
    ["password", await zip([{ ...PLUGIN, password: "secret" }]), "encrypted"],
    ["cut", sound.slice(0, sound.length - 30), "as a .zip"],
    ["text", new TextEncoder().encode("no archive at all, but long enough for one"), "as a .zip"],
    ["empty", new Uint8Array(), "as a .zip"],
    ["bomb", await zip([PLUGIN, { path: "b", text: "\0".repeat(4e6) }]), "packed size"],
  ];
  for (const [what, bytes, part] of cases) {
    const source = join(fixture.root, "plugin.zip");
    await Deno.writeFile(source, bytes);
    const error = await failureOf(build({ source, dest: fixture.dest, check: false }), what);
    assertEquals(error.code, "source", what);
    assertStringIncludes(error.message, part, what);
  }
  assertEquals(await fixture.list(), []);
  assertEquals(await workFolders(), []);
});

Deno.test("build() refuses a zip whose data is not what it was", async () => {
  await using fixture = await builderFixture();
  const source = join(fixture.root, "plugin.zip");
  const bytes = await zip([{ path: "mod.ts", text: `export const a = "${"abc".repeat(50)}";` }]);
  const flipped = bytes.slice();
  flipped[45] = (flipped[45] ?? 0) ^ 0xff;
  await Deno.writeFile(source, flipped);
  assertEquals((await failureOf(build({ source, dest: fixture.dest }))).code, "source");
});

Deno.test("build() keeps to the limits on count and size that it is given", async () => {
  await using fixture = await builderFixture({ "mod.ts": "export {};", "b.ts": "//".repeat(99) });
  const source = join(fixture.root, "plugin.zip");
  await Deno.writeFile(source, await zip([PLUGIN, { path: "b.ts", text: "//".repeat(99) }]));
  for (const from of [source, fixture.source]) {
    for (const limits of [{ entries: 1 }, { fileBytes: 100 }, { totalBytes: 205 }]) {
      const error = await failureOf(build({ source: from, dest: fixture.dest, limits }));
      assertEquals(error.code, "source", JSON.stringify(limits));
    }
  }
});
