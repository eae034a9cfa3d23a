import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname, join, toFileUrl } from "@std/path";
import { formatTarget, hostTarget, HotplugError } from "../artifact/mod.ts";
import { build, type BuildOptions, type BuildResult, TargetsFailedError } from "../builder/mod.ts";
import { type BuilderFixture, builderFixture, failureOf, PRICING } from "./_builder_fixture.ts";

const PLATFORM_PLUGIN = {
  "mod.ts": `
import { only } from "./windows.ts";

export function place(): string {
  if (Deno.build.os === "windows") return only();
  if (globalThis.Deno.build.arch === "aarch64") return "ARM";
  return Deno.build.target;
}

export function fail(text: string): never {
  throw new Error(text + Deno.build.os);
}
`,
  "windows.ts": `
export function only(): string {
  return "WINDOWS ONLY";
}
`,
};

const ALL = [
  "linux/amd64",
  "linux/arm64",
  "darwin/amd64",
  "darwin/arm64",
  "windows/amd64",
  "windows/arm64",
];

async function built(
  { source, dest }: BuilderFixture,
  options: Partial<BuildOptions> = {},
): Promise<BuildResult> {
  return await build({ source, dest, check: false, ...options });
}

async function codes({ artifacts }: BuildResult): Promise<Record<string, string>> {
  const entries = artifacts.map(async ({ target, path }) =>
    [formatTarget(target), await Deno.readTextFile(path)] as const
  );
  return Object.fromEntries(await Promise.all(entries));
}

function digests({ artifacts }: BuildResult): string[] {
  return artifacts.map(({ content }) => content.sha256);
}

Deno.test("what a platform is known to be becomes constants, and dead branches go", async () => {
  await using fixture = await builderFixture(PLATFORM_PLUGIN);
  const text = await codes(await built(fixture, { targets: ["all", "any"] }));
  assertEquals(Object.keys(text), [...ALL, "any"]);
  for (const [target, code] of Object.entries(text)) {
    assertEquals(code.includes("WINDOWS ONLY"), /windows|any/.test(target), target);
    assertEquals(code.includes(`"ARM"`), /arm64|any/.test(target) && !/windows/.test(target));
    assertEquals(code.includes("Deno.build"), target === "any", target);
  }
  assertStringIncludes(text["linux/amd64"] ?? "", "x86_64-unknown-linux-gnu");
});

Deno.test("the module of a platform runs as that of any does there", async () => {
  await using fixture = await builderFixture(PLATFORM_PLUGIN);
  const { artifacts } = await built(fixture, { targets: ["host", "any"] });
  const [host, any] = await Promise.all(artifacts.map(({ path }) => import(toFileUrl(path).href)));
  assertEquals(artifacts[0]?.target, hostTarget());
  assertEquals(host.place(), any.place());
});

Deno.test("where nothing differs, one bundle serves all targets", async () => {
  await using fixture = await builderFixture();
  const same = await built({ ...fixture, source: PRICING }, {
    targets: ["all", "any"],
    gzip: true,
  });
  assertEquals(new Set(digests(same)).size, 1);
  assertEquals(new Set(same.artifacts.map(({ sha256 }) => sha256)).size, 1);

  await using other = await builderFixture({
    // All the words are there, and none of them means the platform's.
    "mod.ts": `export const build = { os: 1, arch: 2, target: 3 };\nexport const name = "Deno";`,
  });
  const alike = await built(other, { targets: ["all", "any"] });
  assertEquals(new Set(digests(alike)).size, 1);

  await using third = await builderFixture({ "mod.ts": `export const os = Deno.build.os;` });
  const byOs = await built(third, { targets: ["all", "any"] });
  assertEquals(new Set(digests(byOs)).size, 4);
});

Deno.test("constants take the place of global names, and of no others", async () => {
  await using fixture = await builderFixture({
    "mod.ts": `
declare const VERSION: string;
declare const app: { mode: string; limits: { max: number } };
export const version = VERSION;
export const mode = app.mode === "dev" ? "DEVELOPMENT" : "production";
export const max = app.limits.max;
export function own(VERSION: number): number { return VERSION + 1; }
`,
  });
  const define = { VERSION: `1.2 "quoted" \n`, "app.mode": "prod", "app.limits": { max: 7 } };
  const { artifacts } = await built(fixture, { define, check: true });
  const { path = "" } = artifacts[0] ?? {};
  const plugin = await import(toFileUrl(path).href);
  assertEquals([plugin.version, plugin.mode, plugin.max, plugin.own(1)], [
    `1.2 "quoted" \n`,
    "production",
    7,
    2,
  ]);
  assert(!(await Deno.readTextFile(path)).includes("DEVELOPMENT"));
});

Deno.test("constants that can't be are refused before anything is built", async () => {
  await using fixture = await builderFixture({ "mod.ts": "export const one = 1;" });
  const cases: readonly [Record<string, unknown>, RegExp][] = [
    [{ "": "x" }, /identifier/],
    [{ "a-b": "x" }, /identifier/],
    [{ "a..b": "x" }, /identifier/],
    [{ "1a": "x" }, /identifier/],
    [{ "Deno.build.os": "amiga" }, /comes from the target/],
    [{ A: undefined }, /JSON/],
    [{ A: NaN }, /JSON/],
    [{ A: 1n }, /JSON/],
  ];
  for (const [define, pattern] of cases) {
    const options = { define: define as BuildOptions["define"] };
    const error = await failureOf(built(fixture, options as Partial<BuildOptions>));
    assertEquals(error.code, "options");
    assertMatch(error.message, pattern);
  }
  const reserved = await failureOf(
    built(await builderFixtureOf(fixture, "export const a = class1;"), { define: { class: "x" } }),
  );
  assertEquals(reserved.code, "bundle");
  assertEquals(await fixture.list(), []);
});

/** The same fixture with another entry. */
async function builderFixtureOf(fixture: BuilderFixture, text: string): Promise<BuilderFixture> {
  await Deno.writeTextFile(join(fixture.source, "mod.ts"), text);
  return fixture;
}

Deno.test("constants don't move the lines of a stack trace, minified or not", async () => {
  for (const minify of [true, false]) {
    await using fixture = await builderFixture({
      ...PLATFORM_PLUGIN,
      "shared.cjs": `const path = require("path");\nmodule.exports = { sep: path.sep + \`\n\` };`,
      "mod.ts": `import shared from "./shared.cjs";${PLATFORM_PLUGIN["mod.ts"]}
export const sep = shared.sep;`,
    });
    const { artifacts } = await built(fixture, { targets: ["host"], minify });
    const { path = "", sourceMapPath = "" } = artifacts[0] ?? {};
    const code = await Deno.readTextFile(path);
    assert(code.endsWith("\n//# sourceMappingURL=plugin.mjs.map\n"), code.slice(-80));
    assert(!code.includes("Deno.build.os"));
    await Deno.rename(sourceMapPath, join(dirname(path), "plugin.mjs.map"));
    const plugin = await import(toFileUrl(path).href);
    let stack = "";
    try {
      plugin.fail("boom ");
    } catch (error) {
      stack = String((error as Error).stack);
    }
    const [first = ""] = stack.split("\n").filter((line) => /^ +at /.test(line));
    assertMatch(first, /mod\.ts:11:9\)$/, `minify ${minify}: ${stack}`);
  }
});

Deno.test("a module without a map links to none, and one that is not minified tells no place", async () => {
  await using fixture = await builderFixture();
  const plain = await built({ ...fixture, source: PRICING }, { minify: false, sourcemap: false });
  const [artifact] = plain.artifacts;
  assertEquals([artifact?.sourceMapPath, artifact?.info.sourceMap], [undefined, undefined]);
  const code = await Deno.readTextFile(artifact?.path ?? "");
  assert(!code.includes("sourceMappingURL"));
  assertStringIncludes(code, "function quote(");
  assert(!/hotplug-build-|file:\/\/|\.cache|\/tmp\//.test(code));
  assertEquals((await fixture.list()).filter((file) => file.endsWith(".map")), []);

  await using there = await builderFixture();
  const again = await built({ ...there, source: PRICING }, { minify: false, sourcemap: false });
  assertEquals(digests(again), digests(plain));
});

Deno.test("the same constants give the same bytes", async () => {
  await using here = await builderFixture(PLATFORM_PLUGIN);
  await using there = await builderFixture(PLATFORM_PLUGIN);
  const options = { targets: ["all"], define: { B: 1, A: 2 } };
  const [one, other] = [
    await built(here, options),
    await built(there, { ...options, define: { A: 2, B: 1 } }),
  ];
  assertEquals(digests(one), digests(other));
  const maps = ({ artifacts }: BuildResult) =>
    artifacts.map(({ info }) => info.sourceMap?.sha256).sort();
  assertEquals(maps(one), maps(other));
});

Deno.test("a target that fails does not lose the others", async () => {
  await using fixture = await builderFixture({
    "mod.ts": `
import { createRequire } from "node:module";
export const load = Deno.build.os === "windows" ? createRequire(import.meta.url)("winreg") : 0;
`,
  });
  let error: unknown;
  try {
    await built(fixture, { targets: ["windows/amd64", "linux/amd64", "darwin/arm64"] });
  } catch (caught) {
    error = caught;
  }
  assert(error instanceof TargetsFailedError && error instanceof HotplugError, String(error));
  assertEquals([error.code, error.name], ["compile", "TargetsFailedError"]);
  assertEquals(error.failures.map(({ target }) => formatTarget(target)), ["windows/amd64"]);
  assertEquals(error.failures[0]?.error.code, "imports");
  assertStringIncludes(error.message, "1 of 3 targets (2 published)");
  assertStringIncludes(error.message, "windows/amd64");
  const published = error.result?.artifacts.map(({ target }) => formatTarget(target));
  assertEquals(published, ["linux/amd64", "darwin/arm64"]);
  for (const { path, infoPath } of error.result?.artifacts ?? []) {
    assert((await Deno.stat(path)).isFile && (await Deno.stat(infoPath)).isFile);
  }
  assertEquals((await fixture.list()).filter((file) => file.startsWith(".")), []);
});

Deno.test("what fails for all targets alike fails as it does for one", async () => {
  await using fixture = await builderFixture({
    "mod.ts": `export const then = 1;`,
  });
  const error = await failureOf(built(fixture, { targets: ["all"] }));
  assertEquals([error.name, error.code], ["HotplugError", "load"]);
  assertEquals(await fixture.list(), []);
});

Deno.test("targets are words, each once; an executable is for platforms only", async () => {
  await using fixture = await builderFixture({ "mod.ts": "export const one = 1;" });
  const { artifacts } = await built(fixture, { targets: ["HOST", hostTarget(), " all "] });
  const names = artifacts.map(({ target }) => formatTarget(target));
  assertEquals(names.toSorted(), ALL.toSorted());
  assertEquals(names[0], formatTarget(hostTarget()));
  for (const targets of [["any"], ["host", "any"]]) {
    const error = await failureOf(built(fixture, { targets, mode: "executable" }));
    assertEquals(error.code, "target");
    assertStringIncludes(error.message, "executable");
  }
});
