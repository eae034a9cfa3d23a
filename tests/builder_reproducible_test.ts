import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { type BuilderFixture, builderFixture, PRICING, spawnBuild } from "./_builder_fixture.ts";
import { seedNpmCache } from "./_npm_cache.ts";

/** Content and map of the newest build in a destination; one build a destination. */
async function bytesOf({ dest, list }: BuilderFixture): Promise<{ code: string; map: string }> {
  const files = await list();
  const read = (extension: string) =>
    Deno.readTextFile(join(dest, files.find((file) => file.endsWith(extension)) ?? extension));
  return { code: await read(".mjs"), map: await read(".mjs.map") };
}

Deno.test({
  name: "the bytes of artifact and map don't tell where, when or by whom they were built",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using here = await builderFixture();
    await using there = await builderFixture();
    const moved = join(there.root, "elsewhere", "a b");
    await copyTree(PRICING, moved);
    const [tmp, cache] = [join(there.root, "other tmp"), join(there.root, "cache")];
    await Deno.mkdir(tmp);
    await seedNpmCache(cache);
    const env = { TMPDIR: tmp, DENO_DIR: cache, TZ: "Asia/Kolkata", LC_ALL: "tr_TR.UTF-8" };
    const outcomes = [
      await spawnBuild(PRICING, here.dest, { TZ: "UTC" }, ["022"]).output(),
      await spawnBuild(moved, there.dest, env, ["077"]).output(),
    ];
    for (const { success, stderr } of outcomes) assert(success, new TextDecoder().decode(stderr));
    const [one, other] = [await bytesOf(here), await bytesOf(there)];
    assertEquals(one, other);
    for (const text of [one.code, one.map]) {
      assert(!/hotplug-build-|file:\/\/|\.cache|\/tmp\//.test(text));
      assert(!text.includes(here.root) && !text.includes(Deno.cwd()));
    }
    assertEquals(JSON.parse(one.map).sources, [
      "node_modules/.deno/decimal.js@10.6.0/node_modules/decimal.js/decimal.mjs",
      "lib/discount.ts",
      "mod.ts",
    ]);
    assert(one.code.trimEnd().endsWith("//# sourceMappingURL=plugin.mjs.map"));
  },
});

async function copyTree(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyTree(join(from, name), join(to, name));
    else await Deno.copyFile(join(from, name), join(to, name));
  }
}
