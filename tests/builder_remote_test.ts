import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { formatTarget, generateKeyPair, HotplugError, verifyInfo } from "../artifact/mod.ts";
import {
  build,
  type BuildOptions,
  type BuildProgress,
  type BuildResult,
  TargetsFailedError,
} from "../builder/mod.ts";
import { buildService } from "./_build_service.ts";
import { builderFixture, failureOf, PRICING } from "./_builder_fixture.ts";
import { zipPricing } from "./_cli.ts";
import { DENO_VERSION, executableTest, MIRROR, onlyArtifact } from "./_executable.ts";
import { nameUnless, NPM_OBSTACLE } from "./_npm_reach.ts";
import { gzipped, tarBytes } from "./_tar_bytes.ts";

/** What of a build must be the same wherever it is done. */
function essence({ name, artifacts }: BuildResult) {
  return {
    name,
    artifacts: artifacts.map(({ info, target }) => {
      const { scn: _, builtAt: __, artifact, sourceMap, ...rest } = info;
      const { sha256, size } = artifact;
      return { ...rest, target: formatTarget(target), sha256, size, map: sourceMap?.sha256 };
    }),
  };
}

Deno.test("a build at a service makes what the same build makes here", async (t) => {
  await using service = await buildService();
  await using fixture = await builderFixture({
    "tree/deno.json": `{ "name": "@acme/tax", "exports": "./lib/a.ts" }`,
    "tree/lib/a.ts": `export { rate } from "./sub/b.ts"; export const os = Deno.build.os;`,
    "tree/lib/sub/b.ts": "export const rate = 0.2;",
    "nested/src/mod.ts": `export const deep = 1;`,
    "one.ts": "export const one = 1;",
    "user.ts": `import { rate } from "@acme/tax"; import { one } from "one";
      declare const VERSION: string;
      export const all = [rate, one, VERSION];
      export function activate(): void {}`,
    "optional.ts": `import { createRequire } from "node:module";
      export const load = () => createRequire(import.meta.url)("maybe");`,
  });
  const { source, root } = fixture;
  const at = (path: string) => join(source, path);
  await zipPricing(at("pricing.zip"));
  await Deno.writeFile(
    at("tar.tar.gz"),
    await gzipped(tarBytes([{ name: "top/mod.ts", body: "export const tarred = 1;" }])),
  );
  const cases: Readonly<Record<string, Partial<BuildOptions>>> = {
    "a directory, checked": { source: PRICING, check: true },
    "a directory in a directory": { source: at("nested"), main: "src/mod.ts" },
    "its own settings, for all platforms": { source: at("tree"), targets: ["all", "any"] },
    "a zip, compressed": { source: at("pricing.zip"), gzip: true },
    "a tar.gz": { source: at("tar.tar.gz") },
    "a single file": { source: at("one.ts") },
    "a file URL": { source: toFileUrl(at("one.ts")), name: "two", contract: "two/1" },
    "a name as long as they come": { source: at("one.ts"), name: "a".repeat(64) },
    "a package": { source: "npm:semver@7.7.2" },
    "a package with its hooks": { source: "npm:semver@7.7.2", hooks: true, name: "s" },
    "further sources and constants": {
      source: at("user.ts"),
      deps: { "@acme/tax": at("tree"), "one": at("one.ts") },
      define: { VERSION: "1.2.3" },
      permissions: { net: ["example.com"], env: true },
    },
    "what may be missing": { source: at("optional.ts"), optional: ["maybe"] },
    "without a map, not minified": { source: PRICING, sourcemap: false, minify: false },
    "arguments of Deno": { source: at("one.ts"), buildArgs: ["--conditions=worker"] },
  };
  for (const [what, options] of Object.entries(cases)) {
    await t.step(what, async () => {
      const all = { source: "", check: false, ...options };
      const here = await build({ ...all, dest: join(root, `${what} here`) });
      const there = await build({ ...all, dest: join(root, `${what} there`), remote: service.url });
      assertEquals(essence(there), essence(here));
      for (const { path, sourceMapPath, infoPath } of there.artifacts) {
        assert((await Deno.stat(path)).isFile && (await Deno.stat(infoPath)).isFile);
        assertEquals(sourceMapPath === undefined, options.sourcemap === false);
      }
    });
  }
  await service.idle();
});

Deno.test("the SCN of a build at a service is reserved here, and its progress told here", async () => {
  await using service = await buildService();
  await using fixture = await builderFixture({ "tax.ts": "export const rate = 0.2;" });
  const source = join(fixture.source, "tax.ts");
  const options = { source, dest: fixture.dest, check: false, remote: service.url.href };
  const first = await build({ ...options, scn: 20260101000000 });
  assertEquals(first.scn, 20260101000000);
  const taken = await failureOf(build({ ...options, scn: 20260101000000 }));
  assertEquals(taken.code, "conflict");
  const told: BuildProgress["type"][] = [];
  const [one, other] = await Promise.all([
    build({ ...options, onProgress: ({ type }) => void told.push(type) }),
    build(options),
  ]);
  assert(one.scn !== other.scn);
  assertEquals(told, ["unpacked", "fetched", "reserved", "published"]);
  assertEquals((await fixture.list()).filter((name) => name.startsWith(".")), []);
});

Deno.test("what is built at a service is signed here, with a key that never leaves", async () => {
  await using service = await buildService();
  await using fixture = await builderFixture({ "tax.ts": "export const rate = 0.2;" });
  const { privateKey, publicKey } = await generateKeyPair();
  const made = await build({
    source: join(fixture.source, "tax.ts"),
    dest: fixture.dest,
    check: false,
    remote: service.url,
    sign: privateKey,
  });
  const text = await Deno.readTextFile(onlyArtifact(made).infoPath);
  await verifyInfo(text, [publicKey]);
});

Deno.test("what fails at a service is the same error here", async (t) => {
  await using service = await buildService();
  await using fixture = await builderFixture({
    "types/mod.ts": "export const a: number = 'text';",
    "empty/readme.md": "",
    "broken/mod.ts": "export const a = ;",
    "thief/mod.ts": `export * from "../../host/secret.ts";`,
    "web/mod.ts": `export * from "https://example.com/a.ts";`,
    "then/mod.ts": "export const then = 1;",
    "left/mod.ts": `import { createRequire } from "node:module";
      export const a = createRequire(import.meta.url)("winreg");`,
    "windows/mod.ts": `import { createRequire } from "node:module";
      export const a = Deno.build.os === "windows" ? createRequire(import.meta.url)("winreg") : 0;`,
    "lock/mod.ts": `export * from "npm:semver@7.7.2";`,
    "lock/deno.json": "{}",
    "lock/deno.lock": `{ "version": "5" }`,
    "fine/mod.ts": "export const a = 1;",
  });
  const cases: readonly (readonly [folder: string, options: Partial<BuildOptions>])[] = [
    ["types", {}],
    ["empty", {}],
    ["broken", { check: false }],
    ["thief", { check: false }],
    ["web", { check: false }],
    ["then", {}],
    ["left", { check: false }],
    ["windows", { check: false, targets: ["windows/amd64", "linux/amd64"] }],
    ["lock", { frozen: true }],
    ["gone", {}],
    ["fine", { main: "other.ts" }],
    ["fine", { define: { "a-b": 1 } }],
    ["fine", { denoVersion: "2.4.99" }],
    ["fine", { buildArgs: ["--no-lock"] }],
  ];
  for (const [folder, more] of cases) {
    const obstacle = more.denoVersion === undefined ? undefined : NPM_OBSTACLE;
    await t.step({
      name: nameUnless(obstacle, `${folder} ${Object.keys(more).join(" ")}`),
      ignore: obstacle !== undefined,
      async fn() {
        const options = { source: join(fixture.source, folder), dest: fixture.dest, ...more };
        const here = await failureOf(build({ ...options, dest: `${fixture.dest}-here` }));
        const there = await failureOf(build({ ...options, remote: service.url }));
        assertEquals([there.name, there.code], [here.name, here.code], there.message);
        const [ours, theirs] = [here, there].map(({ message }) =>
          message.replaceAll(/"[^"]*(?=[/\\](source|secret))/g, '"').replaceAll(/\(\d+ /g, "")
        );
        if (folder !== "lock" && folder !== "thief") assertEquals(theirs, ours);
        assert(!/hotplug-build-/.test(there.message), there.message);
        if (here instanceof TargetsFailedError) {
          assert(there instanceof TargetsFailedError);
          assertEquals(there.failures.map(({ target }) => formatTarget(target)), ["windows/amd64"]);
          assertEquals(there.result?.artifacts.length, 1);
        } else {
          assertEquals(await fixture.list(), []);
        }
        for (const name of await fixture.list()) await Deno.remove(join(fixture.dest, name));
      },
    });
  }
});

Deno.test("options that are about this machine are refused before anything is sent", async () => {
  await using fixture = await builderFixture({ "mod.ts": "export const a = 1;" });
  const options = { source: fixture.source, dest: fixture.dest, remote: "http://127.0.0.1:9" };
  const cases: readonly (readonly [Partial<BuildOptions>, string])[] = [
    [{ deno: Deno.execPath() }, "the option deno"],
    [{ denortMirror: new URL("http://127.0.0.1/") }, "the option denortMirror"],
    [{ env: { A: "1" } }, "the option env"],
    [{ allowImport: ["example.com"] }, "the option allowImport"],
    [{ buildArgs: ["--cert=ca.pem"] }, "a file of the machine"],
    [{ remote: "ftp://example.com" }, "no address"],
    [{ remote: "example.com:8089" }, "no address"],
    [{ remote: "http://me:secret@example.com" }, "no address"],
    [{ remote: { url: "http://127.0.0.1:9", token: "two words" } }, "the token"],
  ];
  for (const [more, part] of cases) {
    const error = await failureOf(build({ ...options, ...more }), part);
    assertEquals(error.code, "options", error.message);
    assertStringIncludes(error.message, part);
  }
  const nobody = await failureOf(build({ ...options, env: {}, allowImport: [] }));
  assertEquals(nobody.code, "remote");
  assertStringIncludes(nobody.message, `"http://127.0.0.1:9/": it can't be reached`);
  assert(nobody.cause instanceof Error && nobody instanceof HotplugError);
  assertEquals(await fixture.list(), []);
});

executableTest("executables are built at a service with its own bases", async () => {
  await using service = await buildService({ denortMirror: MIRROR ?? "" });
  await using fixture = await builderFixture({
    "tool.ts": `export const one = 1; if (import.meta.main) Deno.exit(Number(Deno.args[0]));`,
  });
  const options = {
    source: join(fixture.source, "tool.ts"),
    dest: fixture.dest,
    mode: "executable",
    denoVersion: DENO_VERSION,
    permissions: { env: true },
    gzip: true,
    remote: service.url,
  } as const;
  const error = await failureOf(build({ ...options, targets: ["linux/amd64", "windows/amd64"] }));
  assert(error instanceof TargetsFailedError);
  assertEquals(error.failures[0]?.error.code, "compile");
  const packed = error.result && onlyArtifact(error.result);
  assertEquals([packed?.info.exports, packed?.info.artifact.compression], [["one"], "gzip"]);
  const plain = onlyArtifact(await build({ ...options, gzip: false }));
  assertEquals(plain.content, packed?.content);
  const { code } = await new Deno.Command(plain.path, { args: ["41"] }).output();
  assertEquals(code, 41);

  // Who reads no further leaves no file open, however much of it was still to be sent.
  const { remote: _, source, dest: __, permissions: ___, ...rest } = options;
  const answer = await service.post({
    options: JSON.stringify({ ...rest, gzip: false, targets: ["linux/amd64"] }),
    source: new File([await Deno.readFile(source)], "tool.ts"),
  });
  const reader = answer.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  await service.idle();
});
