import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { hostTarget } from "../artifact/mod.ts";
import { cacheFolder } from "../builder/toolchain/cache_folder.ts";
import type { BuildProgress } from "../builder/mod.ts";
import { findToolchain, type Toolchain } from "../builder/toolchain/toolchain.ts";
import { assertCode } from "./_errors.ts";
import { runScript, startScript } from "./_script.ts";
import { gzipped, tarBytes } from "./_tar_bytes.ts";
import { tempDirectory } from "./_temp.ts";

const BINARY = Deno.build.os === "windows" ? "deno.exe" : "deno";
const TEXT = `#!/bin/sh\n# ${"a Deno of another version ".repeat(4000)}\n`;
const PATH = new RegExp(`^/@deno%2f${Deno.build.os === "windows" ? "win32" : hostTarget().os}-`);

type Bytes = Uint8Array<ArrayBuffer>;

interface Served {
  /** The body of the archive, as it is sent. */
  body?: (bytes: Bytes) => BodyInit;
  integrity?: (bytes: Bytes) => string;
  /** Resolves before the archive is sent. */
  ready?: Promise<void>;
  versions?: readonly string[];
  entry?: string;
  /** Where the archive is, if not at the registry. */
  archiveAt?: URL;
}

interface FakeRegistry extends AsyncDisposable {
  readonly url: string;
  readonly archives: number;
  /** Resolves when the archive is first asked for. */
  readonly asked: Promise<void>;
  readonly authorizations: readonly (string | null)[];
  serve(served: Served): void;
}

/** A registry with one package, whose archive holds a text in the place of Deno. */
function fakeRegistry(first: Served = {}): FakeRegistry {
  let served = first;
  let archives = 0;
  const asked = Promise.withResolvers<void>();
  const authorizations: (string | null)[] = [];
  const packed = async ({ entry = `package/${BINARY}` }: Served) =>
    await gzipped(tarBytes([
      { name: "package/package.json", body: "{}" },
      { name: "package/", type: "5" },
      { name: entry, body: TEXT },
      { name: "package/README.md", body: "read me" },
    ]));
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const url = new URL(request.url);
    authorizations.push(request.headers.get("authorization"));
    const bytes = await packed(served);
    if (url.pathname.endsWith(".tgz")) {
      archives++;
      asked.resolve();
      await served.ready;
      return new Response(served.body?.(bytes) ?? bytes);
    }
    if (!PATH.test(url.pathname)) return new Response("no such package", { status: 404 });
    const integrity = (served.integrity ?? sri)(bytes);
    const tarball = new URL("deno.tgz", served.archiveAt ?? url.origin).href;
    const dist = { tarball, integrity };
    const versions = served.versions ?? ["2.3.7", "2.4.0", "2.4.2", "2.5.0", "2.5.6", "3.0.0-rc.1"];
    return Response.json({
      versions: Object.fromEntries(versions.map((each) => [each, { dist }])),
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    get archives() {
      return archives;
    },
    asked: asked.promise,
    authorizations,
    serve: (next) => served = next,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function sri(bytes: Bytes): string {
  return `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
}

/** The first half, then the connection breaks. */
function cut(bytes: Bytes): BodyInit {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes.subarray(0, bytes.length / 2));
      setTimeout(() => controller.error(new Error("the cable is out")), 20);
    },
  });
}

/** Waits until the archive is asked for; a child that ends before that has failed. */
async function whenAsked(
  { asked }: FakeRegistry,
  outputs: readonly Promise<Deno.CommandOutput>[],
): Promise<void> {
  const ends = outputs.map(async (output) => {
    throw new Error(`It asked for nothing: ${new TextDecoder().decode((await output).stderr)}`);
  });
  await Promise.race([asked, ...ends]);
}

async function list(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

async function assertWhole({ deno }: Toolchain): Promise<void> {
  assertEquals(await Deno.readTextFile(deno), TEXT);
  if (Deno.build.os !== "windows") assertEquals(((await Deno.stat(deno)).mode ?? 0) & 0o777, 0o755);
}

Deno.test("another Deno is fetched once, whole and executable, and told of", async () => {
  await using directory = await tempDirectory();
  await using registry = fakeRegistry();
  const told: BuildProgress[] = [];
  const request = {
    denoVersion: "2.4.2",
    cacheDir: directory.file("not", "there"),
    registry,
    onProgress: (progress: BuildProgress) => told.push(progress),
  };
  const toolchains = await Promise.all([1, 2, 3, 4].map(() => findToolchain(request)));
  for (const toolchain of toolchains) {
    assertEquals(toolchain, toolchains[0]);
    await assertWhole(toolchain);
  }
  assertEquals(registry.archives, 1);
  assertEquals(told.map(({ type }) => type), ["fetched"]);
  assertEquals(await list(request.cacheDir), [
    `deno-2.4.2-${hostTarget().os}-${hostTarget().arch}`,
  ]);
  await findToolchain(request);
  assertEquals(registry.archives, 1);
});

Deno.test("builds in several processes fetch it once between them", async () => {
  await using directory = await tempDirectory();
  const gate = Promise.withResolvers<void>();
  await using registry = fakeRegistry({ ready: gate.promise });
  const script = `
    import { findToolchain } from "project:builder/toolchain/toolchain.ts";
    console.log("asking");
    const registry = { url: ${JSON.stringify(registry.url)} };
    const cacheDir = ${JSON.stringify(directory.file("cache"))};
    console.log((await findToolchain({ denoVersion: "2.4.2", cacheDir, registry })).deno);`;
  const children = await Promise.all([1, 2, 3].map(() => startScript(directory.path, script)));
  const outputs = children.map((child) => child.output());
  // All of them ask before the first one has it.
  await whenAsked(registry, outputs);
  gate.resolve();
  for (const child of children) await child.stdin.close();
  for (const { code, stderr } of await Promise.all(outputs)) {
    assertEquals(code, 0, new TextDecoder().decode(stderr));
  }
  assertEquals(registry.archives, 1);
});

const FAULTS: readonly (readonly [what: string, served: Served, message: RegExp])[] = [
  ["a network that is cut in the middle", { body: cut }, /error|body|connection/i],
  ["bytes that are not those of the integrity", {
    integrity: () => sri(new Uint8Array([1, 2, 3])),
  }, /is not what was asked for: its integrity is sha512-/],
  [
    "an integrity that proves nothing",
    { integrity: () => "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=" },
    /not stated/,
  ],
  ["an archive that is shorter than it should be", {
    body: (bytes) => bytes.subarray(0, -100),
  }, /is not what was asked for/],
  ["an archive without a Deno in it", { entry: "package/dino" }, /holds no "package\/deno/],
  ["an archive at no address of the web", {
    archiveAt: new URL("file:///etc/"),
  }, /its archive is at "file:/],
];

for (const [what, served, message] of FAULTS) {
  Deno.test(`${what} is a clear error, leaves the cache as it was, and the next try succeeds`, async () => {
    await using directory = await tempDirectory();
    await using registry = fakeRegistry();
    const request = { denoVersion: "2.4.0", cacheDir: directory.file("cache"), registry };
    await assertWhole(await findToolchain(request));
    const before = await list(request.cacheDir);

    registry.serve(served);
    const error = await assertCode(
      findToolchain({ ...request, denoVersion: "2.4.2" }),
      "toolchain",
    );
    assertMatch(error.message, message);
    assertMatch(error.message, /^Cannot get Deno 2\.4\.2 for .*; check the network/);
    assertEquals(await list(request.cacheDir), before);

    registry.serve({});
    await assertWhole(await findToolchain({ ...request, denoVersion: "2.4.2" }));
    await assertWhole(await findToolchain(request));
  });
}

Deno.test("a registry that is not there is a clear error", async () => {
  await using directory = await tempDirectory();
  const registry = { url: "http://127.0.0.1:9/" };
  const request = { denoVersion: "2.4.2", cacheDir: directory.file("cache"), registry };
  const error = await assertCode(findToolchain(request), "toolchain");
  assertStringIncludes(error.message, "--deno PATH");
  assertEquals(await list(request.cacheDir), []);
});

Deno.test("a fetch that is cancelled leaves nothing, and the next one succeeds", async () => {
  await using directory = await tempDirectory();
  await using registry = fakeRegistry({
    body: (bytes) =>
      new ReadableStream({
        start: (controller) => controller.enqueue(bytes.subarray(0, bytes.length / 2)),
      }),
  });
  const controller = new AbortController();
  const request = { denoVersion: "2.4.2", cacheDir: directory.file("cache"), registry };
  const fetching = findToolchain({ ...request, signal: controller.signal });
  await Promise.race([registry.asked, fetching]);
  controller.abort();
  await assertCode(fetching, "cancelled");
  assertEquals(await list(request.cacheDir), []);
  registry.serve({});
  await assertWhole(await findToolchain(request));
});

Deno.test("who takes over from a killed fetch waits for nobody, and sweeps what it left", async () => {
  await using directory = await tempDirectory();
  await using registry = fakeRegistry({
    body: (bytes) =>
      new ReadableStream({
        start: (controller) => controller.enqueue(bytes.subarray(0, bytes.length / 2)),
      }),
  });
  const request = { denoVersion: "2.4.2", cacheDir: directory.file("cache"), registry };
  const child = await startScript(
    directory.path,
    `
    import { findToolchain } from "project:builder/toolchain/toolchain.ts";
    const registry = { url: ${JSON.stringify(registry.url)} };
    await findToolchain({ denoVersion: "2.4.2", cacheDir: ${
      JSON.stringify(request.cacheDir)
    }, registry });`,
  );
  const output = child.output();
  await whenAsked(registry, [output]);
  assertEquals((await list(request.cacheDir)).filter((name) => !name.startsWith(".")), []);
  child.kill("SIGKILL");
  await child.stdin.close();
  await output;
  assert((await list(request.cacheDir)).length > 0, "it left nothing: killed too early");

  registry.serve({});
  await assertWhole(await findToolchain(request));
  assertEquals((await list(request.cacheDir)).length, 1);
});

Deno.test("a full disk is a clear error, leaves the cache as it was, and with room it succeeds", async (t) => {
  await using directory = await tempDirectory();
  const mount = directory.file("small");
  await Deno.mkdir(mount);
  const mounted = await mountSmall(mount);
  await t.step({
    name: mounted ? "on a file system of 128 KiB" : "SKIPPED: this process may not mount a tmpfs",
    ignore: !mounted,
    async fn() {
      try {
        await using registry = fakeRegistry();
        const filler = `${mount}/filler`;
        await Deno.writeFile(filler, new Uint8Array(64 * 1024));
        const request = { denoVersion: "2.4.2", cacheDir: `${mount}/cache`, registry };
        const error = await assertCode(findToolchain(request), "toolchain");
        assertMatch(error.message, /no space left|ENOSPC/i);
        assertStringIncludes(error.message, request.cacheDir);
        assertEquals(await list(request.cacheDir), []);
        await Deno.remove(filler);
        await assertWhole(await findToolchain(request));
      } finally {
        await new Deno.Command("umount", { args: [mount] }).output();
      }
    },
  });
});

async function mountSmall(folder: string): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const args = ["-t", "tmpfs", "-o", "size=128k", "tmpfs", folder];
  return (await new Deno.Command("mount", { args, stderr: "null" }).output()).success;
}

Deno.test("a version that is not there, or can't bundle, is refused with those that can", async () => {
  await using directory = await tempDirectory();
  await using registry = fakeRegistry();
  const request = { cacheDir: directory.file("cache"), registry };
  const cases = [
    ["2.4.9", /has no such version; there are 2\.5\.6, 2\.4\.2, 2\.4\.0, and others between$/],
    ["2.3.7", /has no `deno bundle`, which came with 2\.4\.0; there are 2\.5\.6, 2\.4\.2, and/],
    ["9.0.0", /has no such version; there are 3\.0\.0-rc\.1, 2\.5\.6, 2\.4\.2, and others/],
  ] as const;
  for (const [denoVersion, message] of cases.slice(0, 2)) {
    registry.serve({ versions: ["2.3.7", "2.4.0", "2.4.2", "2.5.0", "2.5.6"] });
    const error = await assertCode(findToolchain({ ...request, denoVersion }), "toolchain");
    assertMatch(error.message, message);
  }
  registry.serve({});
  const [denoVersion, message] = cases[2];
  assertMatch(
    (await assertCode(findToolchain({ ...request, denoVersion }), "toolchain")).message,
    message,
  );
  registry.serve({ versions: [] });
  const none = await assertCode(findToolchain({ ...request, denoVersion: "2.4.2" }), "toolchain");
  assertMatch(none.message, /there is none for this platform/);
  assertEquals(await list(request.cacheDir), []);
});

Deno.test("the Deno at hand is taken for its own version, and for no other", async () => {
  await using directory = await tempDirectory();
  await using registry = fakeRegistry();
  const request = { cacheDir: directory.file("cache"), registry };
  const own = { deno: Deno.execPath(), version: Deno.version.deno };
  assertEquals(await findToolchain(request), own);
  assertEquals(await findToolchain({ ...request, denoVersion: own.version }), own);
  assertEquals(await findToolchain({ ...request, ...own, denoVersion: own.version }), own);
  const other = await assertCode(
    findToolchain({ ...request, deno: own.deno, denoVersion: "2.4.2" }),
    "toolchain",
  );
  assertStringIncludes(other.message, `it is Deno ${own.version}, and 2.4.2 is asked for`);
  assertEquals(registry.authorizations, []);
});

Deno.test({
  name: "a Deno at hand that can't bundle is refused",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    const deno = directory.file("deno");
    await Deno.writeTextFile(deno, "#!/bin/sh\necho 'deno 2.3.7 (stable)'\n", { mode: 0o755 });
    const error = await assertCode(findToolchain({ deno, cacheDir: directory.path }), "toolchain");
    assertStringIncludes(error.message, "Deno 2.3.7: it has no `deno bundle`");
  },
});

Deno.test("a token is shown to the registry only, not to who keeps its archives", async () => {
  await using directory = await tempDirectory();
  await using elsewhere = fakeRegistry();
  await using registry = fakeRegistry({ archiveAt: new URL(elsewhere.url) });
  const request = {
    denoVersion: "2.4.2",
    cacheDir: directory.file("cache"),
    registry: { url: registry.url, authorization: "Bearer secret" },
  };
  await assertWhole(await findToolchain(request));
  assertEquals(registry.authorizations, ["Bearer secret"]);
  assertEquals(elsewhere.authorizations, [null]);
});

Deno.test("the registry is that of npm's configuration: environment, then .npmrc, by scope", async () => {
  await using directory = await tempDirectory();
  await using registry = fakeRegistry();
  const script = (setup: string) => `
    import { findToolchain } from "project:builder/toolchain/toolchain.ts";
    Deno.chdir(${JSON.stringify(directory.path)});
    for (const name of Object.keys(Deno.env.toObject())) {
      if (/^npm_config_/i.test(name)) Deno.env.delete(name);
    }
    ${setup}
    const cacheDir = await Deno.makeTempDir();
    await findToolchain({ denoVersion: "2.4.2", cacheDir });
    await Deno.remove(cacheDir, { recursive: true });`;
  const url = JSON.stringify(registry.url);
  const host = new URL(registry.url).host;
  const setups = [
    `Deno.env.set("npm_config_registry", ${url});`,
    `Deno.env.set("NPM_CONFIG_REGISTRY", ${url});`,
    `Deno.writeTextFileSync(".npmrc", "registry=" + ${url});`,
    `Deno.writeTextFileSync(".npmrc", "registry=http://127.0.0.1:9/\\n@deno:registry=" + ${url} +
      "\\n//${host}/:_authToken=\${TOKEN}");
     Deno.env.set("TOKEN", "s3cret");`,
  ];
  for (const [index, setup] of setups.entries()) {
    const { code, stderr } = await runScript(directory.path, script(setup));
    assertEquals(code, 0, stderr);
    assertEquals(registry.archives, index + 1);
  }
  assertEquals(registry.authorizations.at(-1), "Bearer s3cret");
});

Deno.test("the cache lies where the system wants it", () => {
  const none = () => undefined;
  const set = (name: string) => (value: string) => (asked: string) =>
    asked === name ? value : undefined;
  assertMatch(cacheFolder("linux", none), /[\\/]\.cache[\\/]hotplug$/);
  assertMatch(cacheFolder("darwin", none), /[\\/]Library[\\/]Caches[\\/]hotplug$/);
  assertMatch(cacheFolder("windows", none), /[\\/]AppData[\\/]Local[\\/]hotplug[\\/]Cache$/);
  const xdg = set("XDG_CACHE_HOME");
  if (Deno.build.os === "windows") return;
  assertEquals(cacheFolder("linux", xdg("/somewhere")), "/somewhere/hotplug");
  assertMatch(cacheFolder("linux", xdg("relative")), /\/\.cache\/hotplug$/);
  assertEquals(cacheFolder("windows", set("LOCALAPPDATA")("/local")), "/local/hotplug/Cache");
});
