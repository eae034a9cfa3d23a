import { assertEquals, assertStringIncludes } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { build, type BuildOptions, type BuildResult } from "../builder/mod.ts";
import { builderFixture, failureOf } from "./_builder_fixture.ts";
import { npmRegistry } from "./_npm_registry.ts";
import { gzipped, tarBytes } from "./_tar_bytes.ts";

async function symbolsOf({ artifacts }: BuildResult): Promise<Record<string, unknown>> {
  return await import(toFileUrl(artifacts[0]?.path ?? "").href);
}

const TREES = {
  "plugin/mod.ts": `import { tax } from "@acme/tax"; import { round } from "@acme/tax/round";
    import { name } from "names"; export const all = (): unknown[] => [tax(100), round(1.6), name];`,
  "plugin/deno.json": `{ "name": "@acme/shop", "version": "1.0.0", "exports": "./mod.ts" }`,
  "tax/src/main.ts": `import { rate } from "#rate"; import { name } from "names";
    export function tax(net: number): string { return name + net * rate; }`,
  "tax/src/round.ts": "export const round = (n: number): number => Math.round(n);",
  "tax/src/rate.ts": "export const rate = 0.2;",
  // Its own names, and settings that only the root of a workspace may have.
  "tax/deno.jsonc": `{ // of its own
    "name": "tax", "exports": { ".": "./src/main.ts", "./round": "./src/round.ts" },
    "imports": { "#rate": "./src/rate.ts" },
    "nodeModulesDir": "none", "lock": false, "unstable": ["kv"], "workspace": []
  }`,
  "names.ts": `export const name = "n";`,
};

Deno.test("a source is imported by the specifier that --dep gives it, by its own deno.json", async () => {
  await using fixture = await builderFixture(TREES);
  const { source, dest } = fixture;
  const deps = { "@acme/tax": join(source, "tax"), names: join(source, "names.ts") };
  const result = await build({ source: join(source, "plugin"), dest, deps });
  const { all } = await symbolsOf(result);
  assertEquals((all as () => unknown[])(), ["n20", 2, "n"]);
  const map = JSON.parse(await Deno.readTextFile(result.artifacts[0]?.sourceMapPath ?? ""));
  // The rate is a constant: it is all in the place where it is used.
  assertEquals(map.sources.toSorted(), [
    ".deps/@acme/tax/src/main.ts",
    ".deps/@acme/tax/src/round.ts",
    ".deps/names/names.ts",
    "mod.ts",
  ]);
});

Deno.test("a dependency is the same as a folder, an archive and an address", async () => {
  await using fixture = await builderFixture(TREES);
  const { source, dest } = fixture;
  const files = Object.entries(TREES).filter(([path]) => path.startsWith("tax/"));
  const bytes = await gzipped(tarBytes(files.map(([name, body]) => ({ name, body }))));
  await Deno.writeFile(join(source, "tax.tgz"), bytes);
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response(bytes),
  );
  const places = ["tax", "tax.tgz"].map((name) => join(source, name));
  places.push(`http://127.0.0.1:${server.addr.port}/latest`);
  const seen = new Set<string>();
  for (const place of places) {
    const deps = { names: join(source, "names.ts"), "@acme/tax": place };
    const { artifacts } = await build({ source: join(source, "plugin"), dest, deps, check: false });
    seen.add(`${artifacts[0]?.content.sha256} ${artifacts[0]?.info.source.sha256}`);
  }
  assertEquals(seen.size, 1);
  const deps = { names: join(source, "names.ts"), "@acme/tax": join(source, "tax") };
  await Deno.writeTextFile(join(source, "tax", "src", "rate.ts"), "export const rate = 0.3;");
  const { artifacts } = await build({ source: join(source, "plugin"), dest, deps, check: false });
  assertEquals(
    seen.has(`${artifacts[0]?.content.sha256} ${artifacts[0]?.info.source.sha256}`),
    false,
  );
});

Deno.test("a dependency brings its own version of a package along", async () => {
  await using fixture = await builderFixture({
    "plugin/mod.ts":
      `import { v } from "lib"; import { dep } from "dep"; export const both = [v, dep];`,
    "plugin/package.json": `{ "name": "shop", "dependencies": { "lib": "1.0.0" } }`,
    "dep/mod.ts": `import { v } from "lib"; export const dep = v;`,
    "dep/package.json": `{ "name": "dep", "dependencies": { "lib": "2.0.0" } }`,
  });
  const { source, dest } = fixture;
  await using registry = await npmRegistry(["1.0.0", "2.0.0"].map((version) => ({
    name: "lib",
    version,
    type: "module" as const,
    files: { "index.js": `export const v = "${version}";` },
  })));
  await Deno.writeTextFile(join(source, "plugin", ".npmrc"), registry.npmrc);
  const deps = { dep: join(source, "dep") };
  const result = await build({ source: join(source, "plugin"), dest, deps, check: false });
  assertEquals((await symbolsOf(result)).both, ["1.0.0", "2.0.0"]);
});

Deno.test("a dependency that is no sound source, or finds no room, is refused", async () => {
  await using fixture = await builderFixture({
    ...TREES,
    "full/.deps/x.ts": "",
    "full/mod.ts": "",
    "mapped/mod.ts": "",
    "mapped/map.json": "{}",
    "mapped/deno.json": `{ "importMap": "./map.json" }`,
    "hollow/notes.txt": "",
    "thief/mod.ts": `export * from "../../../../../../../../../../../../../../../etc/hosts.ts";`,
    "leading/mod.ts": "",
    "leading/deno.json": `{ "importMap": "../map.json" }`,
  });
  const { source, dest } = fixture;
  const names = join(source, "names.ts");
  const cases: [plugin: string, deps: BuildOptions["deps"], code: string, message: string][] = [
    ["plugin", { "@acme/tax": join(source, "missing") }, "source", "no such file"],
    ["plugin", { "@acme/tax": join(source, "hollow") }, "entry", "entry"],
    ["plugin", { "@acme/tax": join(source, "leading") }, "source", "importMap"],
    ["plugin", { "@acme/tax": "npm:ms@2.1.3" }, "options", "package"],
    ["plugin", { "../x": names }, "options", "bare specifier"],
    ["plugin", { "npm:x": names }, "options", "bare specifier"],
    ["plugin", { "@acme/tax": "" }, "options", "empty"],
    ["full", { names }, "source", ".deps"],
    ["mapped", { names }, "source", "importMap"],
  ];
  for (const [plugin, deps = {}, code, message] of cases) {
    const options = { source: join(source, plugin), dest, deps, check: false };
    const error = await failureOf(build(options), `${plugin} ${Object.keys(deps)}`);
    assertEquals(error.code, code, error.message);
    assertStringIncludes(error.message, message);
  }
  const thief = { "@acme/tax": join(source, "thief"), names };
  const error = await failureOf(build({ source: join(source, "plugin"), dest, deps: thief }));
  assertEquals(error.code, "imports");
  assertEquals(await fixture.list(), []);
});

Deno.test("--frozen builds what the lock holds, and refuses what would change it", async () => {
  await using registry = await npmRegistry(["1.0.0", "1.1.0"].map((version) => ({
    name: "lib",
    version,
    type: "module" as const,
    files: { "index.js": `export const v = "${version}";` },
  })));
  await using fixture = await builderFixture({
    "plugin/mod.ts": `export * from "lib";`,
    "plugin/deno.json": `{ "imports": { "lib": "npm:lib@1.0.0" } }`,
    "plugin/.npmrc": registry.npmrc,
    "dep/mod.ts": "export const d = 1;",
    "other/mod.ts": `export * from "npm:lib@1.1.0";`,
  });
  const source = join(fixture.source, "plugin");
  const attempt = (deps: Record<string, string> = {}) =>
    build({ source, dest: fixture.dest, frozen: true, check: false, deps });
  assertEquals((await failureOf(attempt(), "without a lock")).code, "lock");
  const install = await new Deno.Command(Deno.execPath(), { args: ["install"], cwd: source })
    .output();
  assertEquals(install.success, true, new TextDecoder().decode(install.stderr));
  const lock = await Deno.readTextFile(join(source, "deno.lock"));
  assertEquals((await symbolsOf(await attempt())).v, "1.0.0");
  // What it needs has not changed: a dependency without packages is not the lock's business.
  await Deno.writeTextFile(join(source, "mod.ts"), `export * from "lib"; export * from "dep";`);
  const dep = join(fixture.source, "dep");
  assertEquals((await symbolsOf(await attempt({ dep }))).v, "1.0.0");
  const other = join(fixture.source, "other");
  assertEquals((await failureOf(attempt({ dep: other }), "another version")).code, "lock");
  await Deno.writeTextFile(join(source, "mod.ts"), `export * from "npm:lib@1.1.0";`);
  const error = await failureOf(attempt(), "a changed import");
  assertEquals(error.code, "lock");
  assertStringIncludes(error.message, "lib@1.1.0");
  assertEquals(await Deno.readTextFile(join(source, "deno.lock")), lock);
});
