import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, toFileUrl } from "@std/path";
import type { BuildResult } from "../builder/mod.ts";
import { builderFixture } from "./_builder_fixture.ts";
import { type FakePackage, npmRegistry } from "./_npm_registry.ts";

interface Outcome {
  readonly result?: BuildResult;
  readonly code?: string;
  readonly message?: string;
}

/** Builds packages in a process of its own: the registry comes from the npm configuration there. */
async function buildPackages(
  registry: string,
  dest: string,
  specifiers: readonly string[],
  options: Readonly<Record<string, unknown>> = {},
): Promise<Outcome[]> {
  const mod = new URL("../builder/mod.ts", import.meta.url).href;
  const code = `import { build } from ${JSON.stringify(mod)};
    const [registry, options, ...sources] = Deno.args;
    // From here on: what this process itself is made of is loaded by now.
    Deno.env.set("NPM_CONFIG_REGISTRY", registry);
    for (const source of sources) {
      const outcome = await build({ ...JSON.parse(options), source }).then(
        (result) => ({ result }),
        ({ code, message }) => ({ code, message }),
      );
      console.log(JSON.stringify(outcome));
    }`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", code, registry, JSON.stringify({ ...options, dest }), ...specifiers],
    cwd: fromFileUrl(new URL("..", import.meta.url)),
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  assertEquals(lines.length, specifiers.length, new TextDecoder().decode(stderr));
  return lines.map((line) => JSON.parse(line));
}

function esm(name: string, index: string, version = "1.0.0"): FakePackage {
  return { name, version, type: "module", files: { "index.js": index } };
}

const PACKAGES: readonly FakePackage[] = [
  esm("with-default", "export const a = 1; export default 2;"),
  esm("without-default", "export const b = 1, c = 2;"),
  esm("only-default", "export default function () {}"),
  esm(
    "hooked",
    "export const a = 1; export const health = () => false; export function activate() {}",
  ),
  esm("@acme/scoped", "export const old = 1;", "1.0.0"),
  esm("@acme/scoped", "export const young = 1;", "2.0.0-rc.1"),
  {
    name: "common",
    version: "1.0.0",
    files: {
      "index.js": `module.exports = { ...require("./more.js"), one, two }; function one() {}
        function two() {}`,
      "more.js": "exports.three = 3; exports.activate = () => {};",
    },
  },
  {
    ...esm("changed", "export const a = 1;"),
    integrity: `sha512-${"A".repeat(86)}==`,
  },
];

Deno.test("a package is a plugin: its exports are the symbols, and its hooks are left out", async () => {
  await using fixture = await builderFixture();
  await using registry = await npmRegistry(PACKAGES);
  const expected: [specifier: string, name: string, symbols: string[]][] = [
    ["npm:with-default@1.0.0", "with-default", ["a", "default"]],
    ["npm:without-default@1.0.0", "without-default", ["b", "c"]],
    ["npm:only-default@1.0.0", "only-default", ["default"]],
    ["npm:hooked@1.0.0", "hooked", ["a"]],
    ["npm:@acme/scoped@1.0.0", "scoped", ["old"]],
    ["npm:@acme/scoped@2.0.0-rc.1", "scoped", ["young"]],
    ["npm:common@1.0.0", "common", ["default", "one", "three", "two"]],
  ];
  const specifiers = expected.map(([specifier]) => specifier);
  const outcomes = await buildPackages(registry.url, fixture.dest, specifiers);
  for (const [index, [specifier, name, symbols]] of expected.entries()) {
    const { result, message } = outcomes[index] ?? {};
    assert(result !== undefined, `${specifier}: ${message}`);
    assertEquals(result.name, name);
    const [artifact] = result.artifacts;
    assertEquals([artifact?.info.exports, artifact?.info.hooks], [symbols, []], specifier);
    const module = await import(toFileUrl(artifact?.path ?? "").href);
    assertEquals(Object.keys(module).sort(), symbols, specifier);
  }
});

Deno.test("a package keeps its hooks where they are asked for", async () => {
  await using fixture = await builderFixture();
  await using registry = await npmRegistry(PACKAGES);
  const [outcome] = await buildPackages(registry.url, fixture.dest, ["npm:hooked@1.0.0"], {
    hooks: true,
  });
  const info = outcome?.result?.artifacts[0]?.info;
  assertEquals([info?.exports, info?.hooks], [["a"], ["activate", "health"]]);
});

Deno.test("a package that is missing, or not what its integrity says, is refused", async () => {
  await using fixture = await builderFixture();
  await using registry = await npmRegistry(PACKAGES);
  const specifiers = ["npm:nobody@1.0.0", "npm:with-default@9.0.0", "npm:changed@1.0.0"];
  const outcomes = await buildPackages(registry.url, fixture.dest, specifiers);
  assertEquals(outcomes.map(({ code }) => code), ["bundle", "bundle", "bundle"]);
  assertStringIncludes(outcomes[0]?.message ?? "", "nobody");
  assertStringIncludes(outcomes[1]?.message ?? "", "9.0.0");
  assertStringIncludes(outcomes[2]?.message ?? "", "checksum");
  assertEquals(await fixture.list(), []);
});
