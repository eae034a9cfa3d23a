import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { DaemonEvent } from "../daemon/mod.ts";
import { formatEvent } from "../cli/format_event.ts";
import { writeArtifact } from "./_artifacts.ts";
import { HOTPLUG, hotplug, spawnHotplug } from "./_cli.ts";
import { hasScript } from "./_program.ts";
import { tempDirectory } from "./_temp.ts";

const POSIX = Deno.build.os !== "windows";
const TIME = "2026-11-23T09:40:53.977Z";

/** Runs a line of shell; `hotplug build` in it stands for the command. */
async function shell(line: string, env: Record<string, string> = {}): Promise<string> {
  const command = HOTPLUG.map((word) => `'${word}'`).join(" ");
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", line.replaceAll(/hotplug (?=build|daemon)/g, `${command} `)],
    env: { NO_COLOR: "", ...env },
    stdin: "null",
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test({
  name: "output is coloured on a terminal only, and never with NO_COLOR",
  ignore: !hasScript(),
  async fn() {
    await using directory = await tempDirectory();
    const source = directory.file("tax.ts");
    await Deno.writeTextFile(source, "export const rate = 0.2;");
    const build = `hotplug build ${source} --no-check --dest ${directory.file("plugins")}`;
    const terminal = `script -qec "${build}" '${directory.file("typescript")}'`;
    assertStringIncludes(await shell(terminal), "\x1b[32mbuilt\x1b[0m");
    for (const plain of [await shell(build), await shell(terminal, { NO_COLOR: "1" })]) {
      assertMatch(plain, /^built tax \d{14} in /m);
      assert(!plain.includes("\x1b"), plain);
    }
  },
});

Deno.test({
  name: "hotplug build draws on a terminal how far it is, and where it failed",
  ignore: !hasScript(),
  async fn() {
    await using directory = await tempDirectory();
    const source = directory.file("tax.ts");
    await Deno.writeTextFile(source, "export const rate = 0.2;");
    const build = `hotplug build ${source} --no-check --dest ${directory.file("plugins")}`;
    const draw = (command: string, columns = 100) =>
      shell(`script -qec "stty cols ${columns}; ${command}" '${directory.file("typescript")}'`);
    const done = await draw(build);
    for (const step of ["unpack", "bundle", "publish"]) {
      assertMatch(done, new RegExp(`✔.* ${step}\r\n`), step);
    }
    for (const told of ["unpacked 1 entry, 24 B", "bundled ", "published "]) {
      assertStringIncludes(done, `› ${told}`);
    }
    // The cursor comes back before the result.
    assertStringIncludes(done, "\x1b[?25h\x1b[32mbuilt");

    await Deno.writeTextFile(source, "export const rate = ;");
    const failed = await draw(build);
    assertMatch(failed, /✔.* unpack\r\n/);
    assertMatch(failed, /✖.* bundle\r\n/);
    assertStringIncludes(failed, "\x1b[?25herror: Cannot bundle");

    await Deno.writeTextFile(source, "export const rate = 0.2;");
    for (const plain of [await draw(`${build} --quiet`), await draw(build, 0)]) {
      assert(!plain.includes("\x1b[?25l"), plain);
    }
  },
});

Deno.test("how far a build is goes to standard error, as much of it as was asked for", async () => {
  await using directory = await tempDirectory();
  const source = directory.file("tax.ts");
  await Deno.writeTextFile(source, "export const rate = 0.2;");
  const run = async (...flags: string[]) =>
    await hotplug("build", source, "--no-check", "--dest", directory.file("plugins"), ...flags);
  const plain = await run();
  assertMatch(plain.stdout, /^built tax /);
  assertMatch(plain.stderr, /^unpacked .*\nbundled .*\nreserved .*\npublished .*\n$/);
  const verbose = await run("--verbose");
  assertMatch(verbose.stderr, /^ran deno\S* bundle .*: exit code 0 in \d+ ms$/m);
  assertMatch(verbose.stderr, /^bundled /m);
  for (const flags of [["--quiet"], ["--json"]]) assertEquals((await run(...flags)).stderr, "");
  assertEquals(JSON.parse((await run("--json")).stdout).type, "built");
});

Deno.test({
  name: "hotplug daemon ends in order once nobody reads what it prints",
  ignore: !POSIX,
  async fn() {
    await using directory = await tempDirectory();
    await writeArtifact(directory.path, "export const a = 1;");
    const line =
      `{ hotplug daemon --no-state ${directory.path}; echo "ended with $?" >&3; } | head -n 1`;
    const output = await shell(`{ ${line}; } 3>&1`);
    assertMatch(output, /^\d\d:\d\d:\d\d\.\d{3}Z {2}watch {5}.*\n/);
    assertStringIncludes(output, "ended with 0\n");
  },
});

Deno.test({
  name: "hotplug daemon --check is no failure for that nobody reads what it found",
  ignore: !POSIX,
  async fn() {
    await using directory = await tempDirectory();
    const check = `hotplug daemon --check --no-state --no-config ${directory.path}`;
    assertEquals(
      await shell(`{ { ${check}; echo "ended with $?" >&3; } | :; } 3>&1`),
      "ended with 0\n",
    );
  },
});

Deno.test({
  name: "a plugin that prints under hotplug daemon does no wrong where nobody reads",
  ignore: !POSIX,
  async fn() {
    await using directory = await tempDirectory();
    await writeArtifact(
      directory.path,
      `let left = 5;
       const timer = setInterval(() => {
         console.log("x".repeat(100));
         if (left-- === 0) clearInterval(timer), process.kill(process.pid, "SIGTERM");
       }, 20);`,
    );
    const daemon = `hotplug daemon --no-state ${directory.path} --json`;
    const output = await shell(`{ ${daemon} 2>&1 >&3 | :; } 3>&1`);
    assertStringIncludes(output, `"type":"loaded"`);
    assertStringIncludes(output, `"type":"stopped"`);
    assert(!output.includes(`"type":"failed"`), output);
  },
});

Deno.test("hotplug build loses no line and does not fail where nobody reads", async () => {
  await using directory = await tempDirectory();
  const source = directory.file("tax.ts");
  await Deno.writeTextFile(source, "export const rate = 0.2;");
  const child = spawnHotplug(["build", source, "--no-check", "--dest", directory.file("plugins")]);
  await child.stdout.cancel();
  const { code } = await child.status;
  let told = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) told += text;
  assertEquals(code, 0);
  assertMatch(told, /^unpacked .*\nbundled .*\nreserved .*\npublished .*\n$/);
});

const FULL = "/dev/full";

Deno.test({
  name: "hotplug build fails, and says so, where its output can't be written",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using directory = await tempDirectory();
    const source = directory.file("tax.ts");
    await Deno.writeTextFile(source, "export const rate = 0.2;");
    for (const flag of ["", "--json"]) {
      const build = `hotplug build ${source} --no-check --dest ${
        directory.file("plugins")
      } ${flag}`;
      const output = await shell(`${build} 2>&1 >${FULL}; echo "ended with $?"`);
      assertMatch(output, /^error: Cannot write the output: .*\nended with 1\n$/m);
    }
  },
});

Deno.test({
  name: "hotplug daemon goes on where its output can't be written, and says so once",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using directory = await tempDirectory();
    await writeArtifact(
      directory.path,
      `console.log("loaded"); setTimeout(() => process.kill(process.pid, "SIGTERM"), 50);`,
    );
    const daemon = `hotplug daemon --no-state ${directory.path} --json`;
    const output = await shell(`${daemon} 2>&1 >${FULL}; echo "ended with $?"`);
    // What plugins print is written by another hand, and may come first.
    assertMatch(output, /^error: Cannot write the output: .*$/m);
    assertEquals(output.match(/^(error: |loaded$|ended with 0$)/gm)?.length, 3, output);
  },
});

Deno.test("an event is one line for people, each kind in its words", () => {
  const about = { time: TIME, name: "tax", scn: 20261123094053, path: "/p/tax_x.mjs" };
  const told = { ...about, code: "load", message: `Cannot open "tax"` } as const;
  const watch = { type: "watch", time: TIME, directory: "/p" } as const;
  const ready = { type: "ready", time: TIME, watch: ["/p"], durationMs: 12.4 } as const;
  const names = Array.from({ length: 12 }, (_, index) => `p${index}`);
  const lines: readonly (readonly [DaemonEvent, string])[] = [
    [{ ...watch, state: "watching" }, "watch     /p"],
    [{ ...watch, state: "missing" }, "watch     /p is not there; it is waited for"],
    [
      { ...watch, state: "error", message: "no right" },
      "watch     /p can't be watched, and is looked at now and then: no right",
    ],
    [{ ...ready, plugins: [] }, "ready     0 plugins loaded in 12 ms"],
    [{ ...ready, plugins: ["tax"] }, "ready     1 plugin loaded in 12 ms: tax"],
    [
      { ...ready, plugins: names },
      "ready     12 plugins loaded in 12 ms: p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, and 2 more",
    ],
    [{ type: "failed", ...told, final: true }, `failed    Cannot open "tax" [load]`],
    [
      {
        type: "failed",
        ...told,
        final: false,
        stack:
          "Error: no\n  at all\n    at rate (file:///run/tax@1/mod.ts:7:9)\n    at main.ts:1:1",
      },
      `failed    Cannot open "tax" [load]\n    at rate (file:///run/tax@1/mod.ts:7:9)`,
    ],
    [
      {
        type: "failed",
        ...told,
        final: false,
        stack: "Error: EACCES\n    at async open (ext:deno_node/internal/errors.ts:1:3450)\n" +
          "    at node:fs:2:1\n    at rate (file:///run/tax@1/mod.ts:7:9)",
      },
      `failed    Cannot open "tax" [load]\n    at rate (file:///run/tax@1/mod.ts:7:9)`,
    ],
    [
      { ...about, type: "retried", attempts: 1, outcome: "removed", code: "io" },
      "retried   tax_x.mjs: removed after 1 try [io]",
    ],
    [{ type: "skipped", ...told }, `skipped   Cannot open "tax" [load]`],
    [
      { ...about, type: "retried", attempts: 3, outcome: "loaded", code: "io" },
      "retried   tax_x.mjs: loaded after 3 tries [io]",
    ],
    [{ type: "stopped", time: TIME }, "stopped"],
  ];
  for (const [event, line] of lines) {
    assertEquals(formatEvent(event, false), `09:40:53.977Z  ${line}\n`);
  }
});

Deno.test("what a plugin throws can't colour, move or break the lines of a terminal", () => {
  const event: DaemonEvent = {
    type: "skipped",
    time: TIME,
    name: "tax",
    scn: 20261123094053,
    path: "/p/tax_x.mjs",
    code: "load",
    message: "it threw \x1b[31mred\x1b[0m\r\n\x1b]0;title\x07\tand \u202emore",
  };
  const [line, rest, ...more] = formatEvent(event, false).trimEnd().split("\n");
  assertEquals(line, "09:40:53.977Z  skipped   it threw red");
  assertEquals(rest, "    \\u001b]0;title\\u0007  and \\u202emore [load]");
  assertEquals(more, []);
});
