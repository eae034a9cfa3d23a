import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { parseInfo, sha256 } from "../artifact/mod.ts";
import { build, type BuildProgress } from "../builder/mod.ts";
import { builderFixture, failureOf, PRICING } from "./_builder_fixture.ts";

Deno.test("build() makes a module of the example that runs, with an info file that says the truth", async () => {
  await using fixture = await builderFixture();
  const progress: BuildProgress["type"][] = [];
  const result = await build({
    source: PRICING,
    dest: fixture.dest,
    contract: "pricing/2",
    permissions: { net: ["api.example.com:443"] },
    onProgress: ({ type }) => progress.push(type),
  });

  assertEquals(result.name, "pricing");
  assertEquals(progress, ["unpacked", "bundled", "reserved", "published"]);
  const [artifact] = result.artifacts;
  assert(artifact);
  const bytes = await Deno.readFile(artifact.path);
  const { info } = parseInfo(await Deno.readFile(artifact.infoPath));
  assertEquals(info, artifact.info);
  assertEquals(info.artifact.sha256, sha256(bytes));
  assertEquals(info.content, { size: bytes.byteLength, sha256: sha256(bytes) });
  assertEquals(info.sourceMap?.sha256, sha256(await Deno.readFile(artifact.sourceMapPath ?? "")));
  assertEquals([info.exports, info.hooks], [["quote"], ["activate"]]);
  assertEquals([info.imports, info.optional], [[], []]);
  assertEquals([info.requires, info.permissions], [{ contract: "pricing/2" }, {
    net: ["api.example.com:443"],
  }]);
  const plugin = await import(toFileUrl(artifact.path).href);
  assertEquals(plugin.quote({ price: "0.10", quantity: 30 }), {
    total: "2.85",
    discount: 5,
    currency: "EUR",
  });
});

Deno.test("build() makes one artifact a target under one SCN, and compresses the same content", async () => {
  await using fixture = await builderFixture({ "mod.ts": "export const one = 1;" });
  const { name, scn, artifacts } = await build({
    source: fixture.source,
    dest: fixture.dest,
    targets: ["linux/amd64", "any", "linux-x64"],
    gzip: true,
  });
  assertEquals([name, artifacts.length], ["source", 2]);
  for (const { path, content, info, size } of artifacts) {
    assertEquals([info.scn, info.artifact.compression], [scn, "gzip"]);
    const packed = await Deno.readFile(path);
    assertEquals(packed.byteLength, size);
    const plain = new Response(
      new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")),
    );
    assertEquals(sha256(await plain.bytes()), content.sha256);
  }
  assertEquals((await fixture.list()).filter((file) => file.startsWith(".")), []);
});

Deno.test("build() takes npm packages from a package.json, and the name too", async () => {
  await using fixture = await builderFixture({
    "package.json": JSON.stringify({
      name: "@acme/vat",
      type: "module",
      dependencies: { "decimal.js": "10.6.0" },
    }),
    "index.ts": `import { Decimal } from "decimal.js";
export const vat = (net: string): string => new Decimal(net).times("0.19").toFixed(2);`,
  });
  const { name, artifacts } = await build({ source: fixture.source, dest: fixture.dest });
  assertEquals(name, "vat");
  const plugin = await import(toFileUrl(artifacts[0]?.path ?? "").href);
  assertEquals(plugin.vat("100"), "19.00");
});

Deno.test("build() reads a deno.jsonc with comments, and takes the entry from the map of its exports", async () => {
  await using fixture = await builderFixture({
    "deno.jsonc": `{ // ours\n "exports": { "./x": "./x.ts", ".": "./src/start.ts", }, }`,
    "src/start.ts": "export const start = 1;",
    "mod.ts": "export const wrong = 1;",
  });
  const { artifacts } = await build({ source: fixture.source, dest: fixture.dest });
  assertEquals(artifacts[0]?.info.exports, ["start"]);
});

Deno.test("build() builds a single file alone, and says what to do about its neighbours", async () => {
  await using fixture = await builderFixture({
    "tax.ts": "export const rate = (): number => 0.2;",
    "needs.ts": `import { rate } from "./tax.ts"; export const twice = rate() * 2;`,
  });
  const source = join(fixture.source, "tax.ts");
  assertEquals((await build({ source, dest: fixture.dest })).name, "tax");
  for (const check of [true, false]) {
    const error = await failureOf(
      build({ source: join(fixture.source, "needs.ts"), dest: fixture.dest, check }),
    );
    assertEquals(error.code, check ? "check" : "bundle");
    assertStringIncludes(error.message, "--main needs.ts");
  }
});

Deno.test("build() refuses type errors by source path and line, unless the check is off", async () => {
  await using fixture = await builderFixture({
    "mod.ts": "export const text = 1;\nexport const wrong: string = text;",
  });
  const error = await failureOf(build({ source: fixture.source, dest: fixture.dest }));
  assertEquals(error.code, "check");
  assertMatch(error.message, /TS2322/);
  assertMatch(error.message, /at mod\.ts:2:14/);
  assert(!error.message.includes("hotplug-build-"), error.message);
  // deno-lint-ignore no-control-regex
  assert(!/\x1b/.test(error.message));
  await build({ source: fixture.source, dest: fixture.dest, check: false });
});

Deno.test("build() refuses a require that is left over, and lists it as optional when told so", async () => {
  await using fixture = await builderFixture({
    "deno.json": `{ "imports": { "ws": "npm:ws@8.18.3" } }`,
    "mod.ts": `import { WebSocketServer } from "ws";
export const serve = () => new WebSocketServer({ noServer: true });`,
  });
  const options = { source: fixture.source, dest: fixture.dest, check: false };
  const error = await failureOf(build(options));
  assertEquals(error.code, "imports");
  assertStringIncludes(error.message, "--optional bufferutil --optional utf-8-validate");
  assertEquals(await fixture.list(), []);

  const { artifacts } = await build({ ...options, optional: ["utf-8-validate", "bufferutil"] });
  const { info, path } = artifacts[0] ?? {};
  assertEquals(info?.optional, ["bufferutil", "utf-8-validate"]);
  assert(info?.imports.includes("node:crypto") && info.imports.includes("node:module"));
  const plugin = await import(toFileUrl(path ?? "").href);
  assertEquals(typeof plugin.serve().close, "function");
});

Deno.test("build() refuses a symbol named then, for import() would wait for it for ever", async () => {
  await using fixture = await builderFixture({ "mod.ts": "export function then(): void {}" });
  const error = await failureOf(build({ source: fixture.source, dest: fixture.dest }));
  assertStringIncludes(error.message, `"then"`);
  assertEquals(await fixture.list(), []);
});

Deno.test("build() bundles nothing from outside of the source", async () => {
  await using fixture = await builderFixture({ "mod.ts": "" });
  const stolen = join(fixture.root, "secret.json");
  await Deno.writeTextFile(stolen, `{"secret":1}`);
  await Deno.writeTextFile(
    join(fixture.source, "mod.ts"),
    `import secret from "${toFileUrl(stolen)}" with { type: "json" }; export const s = secret;`,
  );
  const error = await failureOf(build({ source: fixture.source, dest: fixture.dest }));
  assertEquals(error.code, "imports");
  assertStringIncludes(error.message, "outside of the source");
});

Deno.test("build() names what is wrong with entry, name, source or options", async () => {
  await using fixture = await builderFixture({
    "src/a.ts": "export const a = 1;",
    "9lives/mod.ts": "export const a = 1;",
    "notes.txt": "",
    "broken/deno.json": "{",
  });
  const { source, dest } = fixture;
  const cases: [Parameters<typeof build>[0], string, string][] = [
    [{ source, dest }, "entry", "--main"],
    [{ source, dest, main: "../x.ts" }, "entry", "outside"],
    [{ source, dest, main: "/etc/passwd" }, "entry", "outside"],
    [{ source, dest, main: "src" }, "entry", "no such file"],
    [{ source: join(source, "9lives"), dest }, "name", "--name"],
    [{ source: join(source, "notes.txt"), dest }, "source", ".zip"],
    [{ source: join(source, "missing"), dest }, "source", "no such file"],
    [{ source: join(source, "broken"), dest }, "source", "deno.json"],
    [{ source: "", dest }, "options", "source"],
    [{ source, dest, name: "../x" }, "name", "plugin's name"],
    [{ source, dest, targets: ["plan9/amd64"] }, "target", "plan9"],
    [{ source, dest, scn: 20261399000000 }, "scn", "14 digits"],
    [{ source, dest, futureTolerance: -1 }, "options", "futureTolerance"],
    [{ source, dest: join(source, "notes.txt") }, "publish", "folder"],
  ];
  for (const [options, code, part] of cases) {
    const error = await failureOf(build(options));
    assertEquals(error.code, code, JSON.stringify(options));
    assertStringIncludes(error.message, part);
  }
  assertEquals(await fixture.list(), []);
});

Deno.test("build() leaves packages, history and earlier artifacts out of the source's digest", async () => {
  await using fixture = await builderFixture({ "mod.ts": "export const a = 1;" });
  const dest = join(fixture.source, "dist");
  const digests = new Set<string | undefined>();
  for (const noise of ["node_modules", ".git", "dist"]) {
    const { artifacts } = await build({ source: fixture.source, dest, name: "a", check: false });
    digests.add(artifacts[0]?.info.source.sha256);
    await Deno.mkdir(join(fixture.source, noise), { recursive: true });
    await Deno.writeTextFile(join(fixture.source, noise, "noise.ts"), "x");
  }
  assertEquals(digests.size, 1);
  const line = `${sha256("export const a = 1;")}  mod.ts\n`;
  assertEquals([...digests], [sha256(line)]);
});

Deno.test({
  name: "build() copies what links inside of the source lead to, and refuses what leads out",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using fixture = await builderFixture({
      "mod.ts":
        `export { real as linked } from "./linked.ts"; export { real } from "./folder/real.ts";`,
      "lib/real.ts": "export const real = 1;",
    });
    const link = (to: string, name: string) => Deno.symlink(to, join(fixture.source, name));
    await link("lib/real.ts", "linked.ts");
    await link("lib", "folder");
    const options = { source: fixture.source, dest: fixture.dest, check: false };
    assertEquals((await build(options)).artifacts[0]?.info.exports, ["linked", "real"]);
    for (const [to, part] of [["/etc", "out of"], [".", "around"], ["gone", "nowhere"]] as const) {
      await link(to, "bad");
      const error = await failureOf(build(options));
      assertEquals(error.code, "source");
      assertStringIncludes(error.message, part);
      await Deno.remove(join(fixture.source, "bad"));
    }
  },
});
