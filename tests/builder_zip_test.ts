import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { TextReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { build } from "../builder/mod.ts";
import { builderFixture, failureOf, PRICING } from "./_builder_fixture.ts";
import { gzipped, tarBytes } from "./_tar_bytes.ts";

interface Entry {
  readonly path: string;
  readonly text?: string;
}

async function zip(entries: readonly Entry[]): Promise<Uint8Array> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  for (const { path, text } of entries) {
    await writer.add(path, text === undefined ? undefined : new TextReader(text), {
      directory: text === undefined,
    });
  }
  return await writer.close();
}

const PLUGIN = { path: "mod.ts", text: "export const a = 1;" };

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
  const tar = join(fixture.root, "plugin.tgz");
  const files = [{ name: "mod.ts", body: PLUGIN.text }, { name: "b.ts", body: "//".repeat(99) }];
  await Deno.writeFile(source, await zip([PLUGIN, { path: "b.ts", text: "//".repeat(99) }]));
  await Deno.writeFile(tar, await gzipped(tarBytes(files)));
  for (const from of [source, tar, fixture.source]) {
    for (const limits of [{ entries: 1 }, { fileBytes: 100 }, { totalBytes: 205 }]) {
      const error = await failureOf(build({ source: from, dest: fixture.dest, limits }));
      assertEquals(error.code, "source", JSON.stringify(limits));
    }
  }
});
