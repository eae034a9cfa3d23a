import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { formatTarget, HotplugError, parseInfo, sha256 } from "../artifact/mod.ts";
import { type BuildProgress, TargetsFailedError } from "../builder/mod.ts";
import { MIRROR as SITE } from "./_executable.ts";
import { DENO_VERSION, executableFixture, executableTest, onlyArtifact } from "./_executable.ts";
import { assertCode } from "./_errors.ts";

/** Does what its first argument says. */
const TOOL = `
export const greet = (name: string): string => "hello " + name;

async function main([command, ...rest]: string[]): Promise<void> {
  switch (command) {
    case "print":
      console.log(greet(rest.join("+")), import.meta.main, Deno.version.deno, Deno.build.os);
      return;
    case "exit":
      return Deno.exit(Number(rest[0]));
    case "throw":
      throw new Error("nothing left to try");
    case "echo":
      for await (const chunk of Deno.stdin.readable) await Deno.stdout.write(chunk);
      return;
    case "read":
      console.log((await Deno.readTextFile(rest[0] ?? "")).trim());
      return;
    case "wait":
      Deno.addSignalListener("SIGTERM", () => {
        console.log("told to end");
        Deno.exit(7);
      });
      setInterval(() => {}, 1000);
      console.log("waiting");
  }
}

if (import.meta.main) await main(Deno.args);
`;

interface Outcome {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(program: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(program, {
    args: [...args],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function run(program: string, args: readonly string[], input = ""): Promise<Outcome> {
  const child = start(program, args);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {}); // it may have ended
  await writer.close().catch(() => {});
  const { code, signal, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, signal, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

executableTest("an executable is the plugin's module as a program", async (t) => {
  await using fixture = await executableFixture();
  const told: BuildProgress[] = [];
  const result = await fixture.build(TOOL, {
    targets: ["linux/amd64"],
    permissions: { env: ["NO_COLOR"], sys: ["hostname", "hostname"] },
    contract: "tool/1",
    onProgress: (progress) => told.push(progress),
  });
  const artifact = onlyArtifact(result);
  const { path } = artifact;

  await t.step("it is named, described and told of as what it is", async () => {
    assertMatch(path, /[\\/]tool_\d{14}_2_4_2_linux_amd64$/);
    const bytes = await Deno.readFile(path);
    assertEquals([artifact.size, artifact.sha256], [bytes.byteLength, sha256(bytes)]);
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o100, 0o100);
    const { info } = parseInfo(await Deno.readTextFile(artifact.infoPath));
    assertEquals(info, artifact.info);
    assertEquals([info.mode, info.runtime, info.exports, info.sourceMap, artifact.sourceMapPath], [
      "executable",
      { version: DENO_VERSION, os: "linux", arch: "amd64" },
      ["greet"],
      undefined,
      undefined,
    ]);
    assertEquals(info.permissions, { env: ["NO_COLOR"], sys: ["hostname"] });
    assertEquals(info.requires, { contract: "tool/1" });
    const types = told.map(({ type }) => type);
    assertEquals(types, ["fetched", "unpacked", "bundled", "compiled", "reserved", "published"]);
  });

  await t.step("it prints, and is the main module, with its arguments", async () => {
    const { stdout, stderr, code } = await run(path, ["print", "--help", "a b", "-A"]);
    assertEquals([stdout, stderr, code], [
      `hello --help+a b+-A true ${DENO_VERSION} linux\n`,
      "",
      0,
    ]);
  });

  await t.step("its exit code is the program's", async () => {
    assertEquals((await run(path, ["exit", "42"])).code, 42);
    const thrown = await run(path, ["throw"]);
    assertEquals([thrown.code, thrown.stdout], [1, ""]);
    assertStringIncludes(thrown.stderr, "nothing left to try");
  });

  await t.step("its standard input is the caller's", async () => {
    assertEquals((await run(path, ["echo"], "text\n")).stdout, "text\n");
  });

  await t.step("signals reach it", async () => {
    for (const [signal, code, printed] of [["SIGTERM", 7, "told to end\n"], ["SIGKILL", 137, ""]]) {
      const child = start(path, ["wait"]);
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      assertEquals((await reader.read()).value, "waiting\n");
      child.kill(signal as Deno.Signal);
      let rest = "";
      for (let { value } = await reader.read(); value; { value } = await reader.read()) {
        rest += value;
      }
      assertEquals([(await child.status).code, rest], [code, printed]);
      await child.stdin.close().catch(() => {});
      await child.stderr.cancel();
    }
  });

  await t.step("what it has no permission for is refused, without a question", async () => {
    const { code, stdout, stderr } = await run(path, ["read", "/etc/hostname"], "y\ny\ny\n");
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /NotCapable: Requires read access to "\/etc\/hostname"/);
  });

  await t.step("with the permission compiled in it may, and only that", async () => {
    const file = fixture.file("note.txt");
    await Deno.writeTextFile(file, "a note");
    const made = onlyArtifact(await fixture.build(TOOL, { permissions: { read: [file] } }));
    assertEquals((await run(made.path, ["read", file])).stdout, "a note\n");
    assertStringIncludes((await run(made.path, ["read", "/etc/hostname"])).stderr, "NotCapable");
    assertEquals(made.info.permissions, { read: [file] });
    assertEquals(made.content, artifact.content, "the module is another one");
  });

  await t.step("its content is the module that the same build without it makes", async () => {
    const module = onlyArtifact(
      await fixture.build(TOOL, { mode: "module", targets: ["linux/amd64"] }),
    );
    assertEquals([module.content, module.info.exports], [artifact.content, ["greet"]]);
    assertEquals(module.info.source, artifact.info.source);
  });

  await t.step("arguments for the compiler reach it", async () => {
    const made = onlyArtifact(
      await fixture.build(`if (import.meta.main) console.log(location.href, Math.random());`, {
        buildArgs: [
          "--location=http://example.com/",
          "--seed=7",
          "--no-code-cache",
          "--v8-flags=--stack-size=900",
        ],
      }),
    );
    const { stdout } = await run(made.path, []);
    assertMatch(stdout, /^http:\/\/example\.com\/ 0\.\d+\n$/);
    assertEquals((await run(made.path, [])).stdout, stdout, "the seed is not that of the build");
  });

  await t.step("compressed it is the same program, and the same bytes each time", async () => {
    const packed = onlyArtifact(
      await fixture.build(TOOL, { gzip: true, permissions: artifact.info.permissions ?? {} }),
    );
    assertMatch(packed.path, /_linux_amd64\.gz$/);
    const plain = gunzipSync(await Deno.readFile(packed.path));
    assertEquals(sha256(new Uint8Array(plain)), artifact.sha256);
    assertEquals(packed.info.artifact.compression, "gzip");
    for (const place of ["hotplug-build-", Deno.cwd(), fixture.file()]) {
      assert(!plain.includes(place), `it tells of ${place}`);
    }
  });
});

executableTest("a target without a base does not lose the others, and is reported", async () => {
  await using fixture = await executableFixture();
  let error: unknown;
  try {
    await fixture.build(TOOL, { targets: ["all"] });
  } catch (caught) {
    error = caught;
  }
  assert(error instanceof TargetsFailedError, String(error));
  assertEquals(error.result?.artifacts.map(({ target }) => formatTarget(target)), ["linux/amd64"]);
  assertEquals(error.failures.map(({ target }) => formatTarget(target)), [
    "linux/arm64",
    "darwin/amd64",
    "darwin/arm64",
    "windows/amd64",
    "windows/arm64",
  ]);
  for (const { error: { code, message } } of error.failures) {
    assertEquals(code, "compile");
    assertMatch(message, /denort-.*\.zip" is not there; put it into the mirror/);
  }
  assertEquals((await run(error.result?.artifacts[0]?.path ?? "", ["exit", "3"])).code, 3);
});

/** The mirror over HTTP, and how often each of its files was asked for. */
function site(sum: (bytes: Uint8Array) => string | undefined) {
  const asked: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const path = new URL(request.url).pathname;
    asked.push(path.slice(path.lastIndexOf("/") + 1));
    const [, below, wantsSum] = /^\/mirror\/(release\/[\w./-]+?\.zip)(\.sha256sum)?$/.exec(path) ??
      [];
    const bytes = below && await Deno.readFile(`${SITE}/${below}`).catch(() => undefined);
    if (!bytes) return new Response("gone", { status: 404 });
    if (!wantsSum) return new Response(bytes);
    const text = sum(bytes);
    return text === undefined ? new Response("", { status: 404 }) : new Response(text);
  });
  const url = `http://127.0.0.1:${server.addr.port}/mirror`;
  return { url, asked, [Symbol.asyncDispose]: () => server.shutdown() };
}

executableTest("a base comes from a mirror by http once, and only as its sum says", async (t) => {
  await using fixture = await executableFixture();
  const base = "denort-x86_64-unknown-linux-gnu.zip";
  await t.step("a wrong sum is refused and leaves nothing in the cache", async () => {
    await using wrong = site(() => `${"0".repeat(64)}  ${base}\n`);
    const error = await assertCode(fixture.build(TOOL, { denortMirror: wrong.url }), "compile");
    assertStringIncludes(error.message, "its SHA-256 is not the one in");
    const cache = await Array.fromAsync(Deno.readDir(fixture.options.cacheDir ?? ""));
    assertEquals(cache.filter(({ name }) => name.includes("denort")), []);
  });
  for (const stated of [true, false]) {
    await t.step(`${stated ? "with a sum" : "without one"} it is taken`, async () => {
      await using right = site((bytes) => stated ? `${sha256(bytes)}  ${base}\n` : undefined);
      const options = { denortMirror: `${right.url}/` };
      const first = onlyArtifact(await fixture.build(TOOL, options));
      assertEquals((await run(first.path, ["exit", "5"])).code, 5);
      assertEquals(right.asked, [base, `${base}.sha256sum`]);
      await fixture.build(TOOL, options);
      assertEquals(right.asked.length, 2, "it was fetched again");
    });
  }
  await t.step("a site that does not have it is a clear error", async () => {
    await using empty = site(() => undefined);
    const options = { denortMirror: new URL(`${empty.url}/../nothing`) };
    const error = await assertCode(fixture.build(TOOL, options), "compile");
    assertMatch(error.message, /answers 404; put it into the mirror/);
  });
});

executableTest("a program leaves nothing in the temporary folder where it ran", async () => {
  await using fixture = await executableFixture();
  const { path } = onlyArtifact(await fixture.build(TOOL));
  const temporary = fixture.file("temporary");
  await Deno.mkdir(temporary);
  const { success } = await new Deno.Command(path, {
    args: ["print", "x"],
    env: { TMPDIR: temporary },
    stdout: "null",
  }).output();
  assert(success);
  assertEquals(await Array.fromAsync(Deno.readDir(temporary), ({ name }) => name), []);
});

executableTest("an executable that is cancelled while it compiles leaves nothing", async () => {
  await using fixture = await executableFixture();
  const controller = new AbortController();
  const building = fixture.build(TOOL, {
    signal: controller.signal,
    onProgress: ({ type }) => type === "bundled" && setTimeout(() => controller.abort(), 100),
  });
  const error = await assertCode(building, "cancelled");
  assert(error instanceof HotplugError);
  const left = await Array.fromAsync(Deno.readDir(fixture.file("build-1", "dest")));
  assertEquals(left, []);
});
