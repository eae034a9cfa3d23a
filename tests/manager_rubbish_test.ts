import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { ErrorCode } from "../artifact/mod.ts";
import { PluginManager } from "../manager/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { assertCode } from "./_errors.ts";
import { collectEvents } from "./_events.ts";
import { makePipes } from "./_pipes.ts";
import { runScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";
import { UNPRIVILEGED } from "./_unprivileged.ts";

const FILE = `pricing_${SCN}_2_0_0_any_any.mjs`;
const windows = Deno.build.os === "windows";

Deno.test("an empty file is a plugin without symbols, where an info file says that it is empty", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, "");
  await using manager = new PluginManager();
  assertEquals((await manager.open(path)).symbols, []);
});

for (const gzip of [false, true]) {
  Deno.test(`an empty file without an info file takes no plugin's place${gzip ? ", gzip" : ""}`, async () => {
    await using directory = await tempDirectory();
    const bare = { info: false, gzip } as const;
    const { path } = await writeArtifact(directory.path, "export const a = 1;", bare);
    await using manager = new PluginManager();
    await manager.open(path);
    const { path: empty } = await writeArtifact(directory.path, "", { ...bare, scn: SCN + 1 });
    await assertCode(manager.open(empty), "incomplete");
    assertEquals(manager.current("pricing")?.scn, SCN);
  });
}

/** Makes something that is no regular file, under an artifact's name. */
const oddities: Record<string, (path: string) => Promise<AsyncDisposable | void>> = {
  "folder": (path) => Deno.mkdir(path),
  "FIFO": (path) => makePipes(path),
  // deno-lint-ignore require-await
  "socket": async (path) => {
    const listener = Deno.listen({ transport: "unix", path });
    return { [Symbol.asyncDispose]: () => Promise.resolve(listener.close()) };
  },
  "link to a device": (path) => Deno.symlink("/dev/zero", path),
  "link out of its folder": async (path) => {
    await writeArtifact(join(path, "..", ".."), "export {}", { info: false });
    await Deno.symlink(`../${FILE}`, path);
  },
  "absolute link out of its folder": (path) => Deno.symlink("/etc/hostname", path),
  "link to its folder": (path) => Deno.symlink(".", path),
};

for (const [what, make] of Object.entries(oddities)) {
  Deno.test({
    name: `a ${what} is refused, and never read`,
    ignore: windows,
    async fn() {
      await using directory = await tempDirectory();
      await Deno.mkdir(directory.file("plugins"));
      const path = directory.file("plugins", FILE);
      await using _made = (await make(path)) ?? { [Symbol.asyncDispose]: () => Promise.resolve() };
      await using manager = new PluginManager();
      // Who opened it would wait for good, or be told of something else.
      await assertCode(manager.open(path), "integrity");
    },
  });
}

Deno.test({
  name: "a link that dangles or loops can't be read, for now",
  ignore: windows,
  async fn() {
    await using directory = await tempDirectory();
    await using manager = new PluginManager();
    for (const target of ["nowhere", FILE]) {
      await Deno.symlink(target, directory.file(FILE));
      await assertCode(manager.open(directory.file(FILE)), "io");
      await Deno.remove(directory.file(FILE));
    }
  },
});

Deno.test({
  name: "links inside of the folder work, as a Kubernetes volume makes them",
  ignore: windows,
  async fn() {
    await using directory = await tempDirectory();
    await using manager = new PluginManager();
    for (const n of [0, 1]) {
      const version = directory.file(`..2024_${n}`);
      await Deno.mkdir(version);
      const { file, parts } = await writeArtifact(version, `export const n = ${n};`, {
        scn: SCN + n,
      });
      for (const name of [file, `${file.slice(0, -4)}.pinf`]) {
        await Deno.symlink(`..data/${name}`, directory.file(name));
      }
      await Deno.symlink(`..2024_${n}`, directory.file("..data_tmp"));
      await Deno.rename(directory.file("..data_tmp"), directory.file("..data"));
      const generation = await manager.open(directory.file(file));
      assertEquals([generation.scn, generation.lookup("n")], [parts.scn, n]);
      assert(generation.info, "the info file was found by its link");
    }
  },
});

Deno.test({
  name: "a file that the host must not read is refused for now, and others load",
  ignore: UNPRIVILEGED === undefined,
  async fn() {
    await using directory = await tempDirectory();
    const { path } = await writeArtifact(directory.path, "export {}", { info: false });
    const good = await writeArtifact(directory.path, "export {}", { name: "good" });
    await Deno.chmod(path, 0o000);
    await Deno.chmod(directory.path, 0o777);
    const { stdout, stderr } = await runScript(
      directory.path,
      `import { PluginManager } from "project:manager/mod.ts";
       await using manager = new PluginManager();
       console.log(await manager.open(${JSON.stringify(path)}).catch((error) => error.code));
       console.log((await manager.open(${JSON.stringify(good.path)})).name);`,
      ["-A"],
      UNPRIVILEGED,
    );
    assertEquals(stdout, "io\ngood\n", stderr);
  },
});

const refusals: Record<string, [source: string | Uint8Array<ArrayBuffer>, code: ErrorCode]> = {
  "syntax error": ["export const = 1;", "syntax"],
  "error that only a compiler sees": ["export const a = 1; const a = 2;", "syntax"],
  "name that is not exported": [
    "import { nothing } from 'node:path'; export { nothing };",
    "syntax",
  ],
  "builtin that does not exist": ["import 'node:nothing';", "syntax"],
  "text that is no UTF-8": [new Uint8Array([0x2f, 0x2f, 0xff, 0xfe, 0x0a]), "syntax"],
  "binary": [new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0, 1]), "syntax"],
  "symbol named then": ["export const then = (resolve) => resolve(1);", "syntax"],
  "symbol that is then in disguise": ["const x = 1; export { x as \\u0074hen };", "syntax"],
  "throw of null": ["throw null;", "load"],
  "throw of undefined": ["throw undefined;", "load"],
  "throw of a symbol": ["throw Symbol('no');", "load"],
  "throw of a frozen error": ["throw Object.freeze(new Error('no'));", "load"],
  "throw of an error whose stack throws": [
    "throw Object.defineProperty(new Error('no'), 'stack', { get() { throw new Error('trap'); } });",
    "load",
  ],
  "throw of an error whose message throws": [
    "throw Object.defineProperty(new Error(), 'message', { get() { throw new Error('trap'); } });",
    "load",
  ],
  "throw of a proxy that answers nothing": [
    "const no = () => { throw new Error('trap'); };" +
    "throw new Proxy({}, { get: no, getPrototypeOf: no, has: no, ownKeys: no, getOwnPropertyDescriptor: no });",
    "load",
  ],
  "throw of a function": ["throw () => {};", "load"],
  "throw of a JSON error": ["JSON.parse('{');", "load"],
  "rejection at the top level": ["await Promise.reject(new Error('no'));", "load"],
};

for (const [what, [source, code]] of Object.entries(refusals)) {
  Deno.test(`a module with a ${what} is refused, told once, and the next one loads`, async () => {
    await using directory = await tempDirectory();
    await using manager = new PluginManager();
    using events = collectEvents(manager);
    const { path } = await writeArtifact(directory.path, source);
    const error = await assertCode(manager.open(path), code);
    assertEquals(events.all.length, 1);
    assert(error.message.includes(FILE), error.message);
    const good = await writeArtifact(directory.path, "export {}", { scn: SCN + 1 });
    assertEquals((await manager.open(good.path)).scn, SCN + 1);
  });
}

Deno.test("a module with a byte order mark, CRLF or no line feed at its end loads", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  const sources = ["\ufeffexport const n = 1;\n", "export const n = 1;\r\n", "export const n = 1"];
  for (const [at, source] of sources.entries()) {
    const { path } = await writeArtifact(directory.path, source, { scn: SCN + at });
    assertEquals((await manager.open(path)).lookup("n"), 1);
  }
});

Deno.test("a leftover import is refused with a list, and nothing is fetched", async (t) => {
  await using directory = await tempDirectory();
  let requests = 0;
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    requests++;
    return new Response("export const x = 1;", { headers: { "content-type": "text/javascript" } });
  });
  const url = `http://127.0.0.1:${server.addr.port}/x.js`;
  await Deno.writeTextFile(directory.file("x.mjs"), "export const x = 1;");
  await using manager = new PluginManager();
  const specifiers = [
    url,
    "https://example.com/x.js",
    "npm:left-pad",
    "jsr:@std/path",
    "./x.mjs",
    "../x.mjs",
    "/x.mjs",
    new URL(`file://${directory.file("x.mjs")}`).href,
    "data:text/javascript,export const x = 1;",
    "blob:null/1",
    "fs",
    "@std/path",
    "#x",
    "",
  ];
  const forms = [
    (from: string): string => `import { x } from ${from};`,
    (from: string): string => `import ${from};`,
    (from: string): string => `export { x } from ${from};`,
    (from: string): string => `export * from ${from};`,
    (from: string): string => `export const late = () => import(${from});`,
  ];
  for (const specifier of specifiers) {
    await t.step(specifier || "(empty)", async () => {
      for (const form of forms) {
        const source = form(JSON.stringify(specifier));
        const { path } = await writeArtifact(directory.path, source, { info: false });
        const error = await assertCode(manager.open(path), "imports");
        assert(error.message.includes(specifier));
      }
    });
  }
  assertEquals(requests, 0);
});

Deno.test("what would be fetched or read is refused though an info file calls it optional", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  const specifiers = ["https://example.com/x.js", "npm:left-pad", "./x.mjs", "/x.mjs"];
  for (const [at, specifier] of specifiers.entries()) {
    const init = { scn: SCN + at, optional: [specifier] };
    const { path } = await writeArtifact(directory.path, `import "${specifier}";`, init);
    await assertCode(manager.open(path), "imports");
  }
});

Deno.test("what an info file calls optional may be left to import", async () => {
  await using directory = await tempDirectory();
  const source = "export const missing = () => import('no-such-package');";
  await using manager = new PluginManager();
  const strict = await writeArtifact(directory.path, source);
  await assertCode(manager.open(strict.path), "imports");
  const { path } = await writeArtifact(directory.path, source, {
    scn: SCN + 1,
    optional: ["no-such-package"],
  });
  const generation = await manager.open(path);
  assert(await generation.call("missing").catch((error) => error) instanceof Error);
});

Deno.test("a top level that never ends is given up, and meanwhile another plugin loads", async () => {
  await using directory = await tempDirectory();
  const hanging = await writeArtifact(directory.path, "await new Promise(() => {});");
  const good = await writeArtifact(directory.path, "export {}", { name: "good" });
  const { code, stdout, stderr } = await runScript(
    directory.path,
    `
    import { PluginManager } from "project:manager/mod.ts";
    const manager = new PluginManager({ loadDeadline: 4_000 });
    let hangs = true;
    const hanging = manager.open(${JSON.stringify(hanging.path)}).catch((error) => error.code);
    void hanging.then(() => hangs = false);
    await manager.open(${JSON.stringify(good.path)});
    console.log(hangs);
    console.log(await hanging, manager.current("pricing"));
    await manager.close();
    // Deno holds the promise against whoever lets the process end by itself.
    Deno.exit(0);
    `,
  );
  assertEquals([code, stdout], [0, "true\ndeadline undefined\n"], stderr);
});

Deno.test("close gives up a top level that never ends, and what is queued behind it", async () => {
  await using directory = await tempDirectory();
  const hanging = await writeArtifact(
    directory.path,
    "globalThis.began?.(); await new Promise(() => {});",
  );
  const queued = await writeArtifact(directory.path, "export {}", { scn: SCN + 1 });
  const { code, stdout, stderr } = await runScript(
    directory.path,
    `
    import { PluginManager } from "project:manager/mod.ts";
    const manager = new PluginManager({ loadDeadline: 60_000 });
    const began = new Promise((resolve) => globalThis.began = resolve);
    const opens = ${JSON.stringify([hanging.path, queued.path])}
      .map((path) => manager.open(path).catch((error) => error.code));
    await began;
    await manager.close();
    console.log(await Promise.all(opens));
    Deno.exit(0);
    `,
  );
  assertEquals([code, stdout], [0, '[ "closed", "closed" ]\n'], stderr);
});
