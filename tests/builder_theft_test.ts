import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { build, type BuildOptions } from "../builder/mod.ts";
import { type BuilderFixture, builderFixture, failureOf } from "./_builder_fixture.ts";
import { type FakePackage, npmRegistry } from "./_npm_registry.ts";
import { tarBytes } from "./_tar_bytes.ts";
import { tempDirectory } from "./_temp.ts";

const SECRET = "the-host-s-secret";

interface Theft {
  readonly what: string;
  /** The files of the plugin; `HOST` stands for the way to the host's folder, `URL` for its URL. */
  readonly files: Readonly<Record<string, string>>;
  readonly packages?: readonly FakePackage[];
  readonly options?: Partial<BuildOptions>;
  readonly code?: string;
}

const RAW = `{ "unstable": ["raw-imports"] }`;

const THEFTS: readonly Theft[] = [
  { what: "a module by a relative path", files: { "mod.ts": `export * from "HOST/m.ts";` } },
  { what: "a module by its URL", files: { "mod.ts": `export * from "URL/m.ts";` } },
  {
    what: "JSON",
    files: { "mod.ts": `import s from "HOST/s.json" with { type: "json" }; export const a = s;` },
  },
  {
    what: "text",
    files: { "mod.ts": `import s from "HOST/s.txt" with { type: "text" }; export const a = s;` },
  },
  {
    what: "bytes",
    files: {
      "deno.json": RAW,
      "mod.ts": `import s from "HOST/s.txt" with { type: "bytes" }; export const a = s;`,
    },
  },
  {
    what: "a module by a path whose slashes are encoded",
    files: { "mod.ts": `export * from "./..%2f..%2fm.ts";` },
  },
  {
    what: "a module by a URL with a host",
    files: { "mod.ts": `export * from "file://host/m.ts";` },
  },
  { what: "a module, later", files: { "mod.ts": `export const f = () => import("HOST/m.ts");` } },
  {
    what: "whatever a pattern fits",
    files: { "mod.ts": "export const f = (n: string) => import(`HOST/${n}.ts`);" },
  },
  {
    what: "text that a pattern fits",
    files: { "mod.ts": "export const f = (n: string) => import(`HOST/${n}.txt`);" },
  },
  {
    what: "bytes that a pattern fits",
    files: {
      "deno.json": RAW,
      "mod.ts":
        `export const f = (n: string) => import("HOST/" + n + ".txt", { with: { type: "bytes" } });`,
    },
  },
  {
    what: "CommonJS",
    files: {
      "mod.ts": `import a from "./a.cjs"; export const b = a;`,
      "a.cjs": `module.exports = [require("HOST/c.cjs"), require("HOST/s.json")];`,
    },
  },
  {
    what: "CommonJS that a pattern fits",
    files: {
      "mod.ts": `import a from "./a.cjs"; export const b = a;`,
      "a.cjs": `module.exports = (n) => require("HOST/" + n + ".cjs");`,
    },
  },
  {
    what: "by the import map",
    files: {
      "deno.json": `{ "imports": { "m": "HOST/m.ts" } }`,
      "mod.ts": `export * from "m";`,
    },
  },
  {
    what: "by an import map that lies elsewhere",
    files: { "deno.json": `{ "importMap": "HOST/s.json" }`, "mod.ts": "export const a = 1;" },
    code: "source",
  },
  {
    what: "by a link to a package",
    files: { "deno.json": `{ "links": ["HOST"] }`, "mod.ts": `export * from "jsr:@host/x@1.0.0";` },
    code: "source",
  },
  {
    what: "by the source of JSX",
    files: {
      "deno.json": `{ "compilerOptions": { "jsx": "react-jsx", "jsxImportSource": "HOST" } }`,
      "mod.tsx": "export const e = () => <a />;",
    },
  },
  {
    what: "types",
    files: { "mod.ts": `import type { m } from "HOST/m.ts"; export let a: typeof m;` },
  },
  {
    what: "a line of a file that is no module, out of the bundler's mouth",
    files: { "mod.ts": "export const f = (n: string) => import(`HOST/p${n}.js`);" },
    code: "bundle",
  },
  {
    what: "JSON, by a package",
    files: { "mod.ts": `export * from "npm:thief@1.0.0";` },
    packages: [{
      name: "thief",
      version: "1.0.0",
      files: { "index.js": `module.exports.a = require("ABSOLUTE/s.json");` },
    }],
  },
  {
    what: "bytes, by a package",
    files: { "deno.json": RAW, "mod.ts": `export * from "npm:thief@1.0.0";` },
    packages: [{
      name: "thief",
      version: "1.0.0",
      type: "module",
      files: {
        "index.js": `export { default as a } from "ABSOLUTE/s.txt" with { type: "bytes" };`,
      },
    }],
  },
];

async function host(fixture: BuilderFixture): Promise<string> {
  const folder = join(fixture.root, "host");
  await Deno.mkdir(folder);
  const files = {
    "m.ts": `export const m = "${SECRET}";`,
    "s.json": `{ "s": "${SECRET}" }`,
    "s.txt": SECRET,
    "c.cjs": `module.exports = "${SECRET}";`,
    "passwd.js": `root:x:${SECRET}:0`,
    "jsx-runtime": `export const jsx = "${SECRET}";`,
    "deno.json": `{ "name": "@host/x", "version": "1.0.0", "exports": "./m.ts" }`,
  };
  for (const [file, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder, file), text);
  }
  return folder;
}

for (const { what, files, packages = [], options, code = "imports" } of THEFTS) {
  Deno.test(`no theft: ${what}`, async () => {
    await using fixture = await builderFixture();
    const { source, dest } = fixture;
    const folder = await host(fixture);
    // The work folder is beside the fixture's, in the system's temporary folder.
    const name = fixture.root.split(/[/\\]/).at(-1);
    const place = (text: string) =>
      text.replaceAll("HOST", `../../${name}/host`).replaceAll(
        "ABSOLUTE",
        folder.replaceAll("\\", "/"),
      )
        .replaceAll("URL", toFileUrl(folder).href);
    await using registry = await npmRegistry(
      packages.map((each) => ({
        ...each,
        files: Object.fromEntries(
          Object.entries(each.files).map(([path, text]) => [path, place(text)]),
        ),
      })),
    );
    for (const [path, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(source, path), place(text));
    }
    if (packages.length > 0) await Deno.writeTextFile(join(source, ".npmrc"), registry.npmrc);
    const error = await failureOf(build({ source, dest, check: false, ...options }), what);
    assertEquals(error.code, code, error.message);
    assert(!error.message.includes(SECRET), error.message);
    assertEquals(await fixture.list(), []);
  });
}

Deno.test("what is imported from outside is named as the module has it, not as it lies while built", async () => {
  await using fixture = await builderFixture({
    "mod.ts": `export * from "./lib/a.ts";`,
    "lib/a.ts": `export * from "../../shared/b.ts";`,
  });
  const { source, dest } = fixture;
  const { message } = await failureOf(build({ source, dest, check: false }));
  assertStringIncludes(message, `the import of "../../shared/b.ts" in "lib/a.ts": it lies outside`);
});

Deno.test("what lies in the source is taken in, in whatever way it is imported", async () => {
  await using fixture = await builderFixture({
    "deno.json": RAW,
    "mod.ts": `import a from "./data/a.bin" with { type: "bytes" };
      import b from "./data/b.txt" with { type: "text" };
      import c from "./data/c.json" with { type: "json" };
      export const all = () => [new TextDecoder().decode(a), b.trim(), c.c];
      export const any = (n: string) => import("./data/" + n + ".bin", { with: { type: "bytes" } });`,
    "data/a.bin": "bytes",
    "data/b.txt": "text",
    "data/c.json": `{ "c": "json" }`,
  });
  const { artifacts } = await build({ source: fixture.source, dest: fixture.dest, check: false });
  const { all } = await import(toFileUrl(artifacts[0]?.path ?? "").href);
  assertEquals(all(), ["bytes", "text", "json"]);
});

Deno.test("no theft: a symbolic link in the source", async () => {
  await using fixture = await builderFixture({ "mod.ts": `export * from "./l.ts";` });
  await Deno.symlink(join(await host(fixture), "m.ts"), join(fixture.source, "l.ts"));
  const error = await failureOf(build({ source: fixture.source, dest: fixture.dest }));
  assertEquals(error.code, "source");
  assertStringIncludes(error.message, "leads out of the source");
});

Deno.test("a build writes nothing into the lock file of somebody else", async () => {
  await using fixture = await builderFixture({
    "deno.json": `{ "lock": { "path": "../lock/deno.lock" } }`,
    "mod.ts": "export const a = 1;",
  });
  const error = await failureOf(build({ source: fixture.source, dest: fixture.dest }));
  assertEquals(error.code, "source");
  assertStringIncludes(error.message, `"lock"`);
});

Deno.test("a build runs no script of a package, whatever the source allows", async () => {
  await using fixture = await builderFixture({
    "deno.json": `{ "allowScripts": ["npm:runner"] }`,
    "mod.ts": `export * from "npm:runner@1.0.0";`,
  });
  const trace = join(fixture.root, "trace");
  await using registry = await npmRegistry([{
    name: "runner",
    version: "1.0.0",
    type: "module",
    scripts: { postinstall: `echo ran > ${trace}` },
    files: { "index.js": "export const a = 1;" },
  }]);
  await Deno.writeTextFile(join(fixture.source, ".npmrc"), registry.npmrc);
  const { artifacts } = await build({ source: fixture.source, dest: fixture.dest });
  assertEquals(artifacts[0]?.info.exports, ["a"]);
  assertEquals(await Deno.stat(trace).catch(() => "not there"), "not there");
});

Deno.test("imports by http come from the hosts that are allowed, and from no other", async () => {
  await using fixture = await builderFixture();
  const requests: string[] = [];
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    ({ url }) => {
      requests.push(url);
      return new Response("export const a = 1;", {
        headers: { "content-type": "text/javascript" },
      });
    },
  );
  const host = `127.0.0.1:${server.addr.port}`;
  await Deno.writeTextFile(join(fixture.source, "mod.ts"), `export * from "http://${host}/a.js";`);
  const options = { source: fixture.source, dest: fixture.dest };
  for (const allowImport of [[], ["127.0.0.1:1"], ["example.com"]]) {
    const error = await failureOf(build({ ...options, allowImport }));
    assertEquals(error.code, "imports");
    assertStringIncludes(error.message, `--allow-import ${host}`);
  }
  assertEquals(requests, []);
  const { artifacts } = await build({ ...options, allowImport: [host] });
  assertEquals(artifacts[0]?.info.exports, ["a"]);
  const map = JSON.parse(await Deno.readTextFile(artifacts[0]?.sourceMapPath ?? ""));
  assertEquals(map.sources, [`http://${host}/a.js`]);
  assertEquals((await failureOf(build({ ...options, allowImport: ["a/b"] }))).code, "options");
});

Deno.test("no theft: an archive's .npmrc sends nothing of the environment anywhere", async () => {
  await using directory = await tempDirectory();
  const asked: string[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, ({ url }) => {
    asked.push(url);
    return new Response("no such package", { status: 404 });
  });
  const registry = `registry=http://127.0.0.1:${server.addr.port}/\${HOME}/\n`;
  const archive = directory.file("greedy.tar");
  await Deno.writeFile(
    archive,
    tarBytes([
      { name: "mod.ts", body: 'import x from "npm:left-pad@1.3.0"; export const y = x;' },
      { name: ".npmrc", body: registry },
      { name: "sub/.NPMRC", body: registry },
    ]),
  );
  await build({ source: archive, dest: directory.file("dest"), check: false });
  assertEquals(asked, []);
});
