import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { hotplug } from "./_cli.ts";
import { tempDirectory } from "./_temp.ts";

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  build: [
    "SOURCE",
    ..."--dest --name --main --target --gzip --no-check --optional --scn --json".split(" "),
    ..."--mode --define --no-minify --no-sourcemap --deno --deno-version".split(" "),
    ..."--denort-mirror --build-arg --env --allow-net --allow-read".split(" "),
    ..."--verify --contract --future-tolerance --cache-dir --quiet --verbose".split(" "),
  ],
  builder: [
    ..."--port --host --token-file --builds --queue --body-limit --time-limit --drain".split(" "),
    ..."--cache-dir --work-dir --denort-mirror --env --json".split(" "),
  ],
  daemon: ["DIR", "--initial-scn", "--json"],
};

for (const [command, options] of Object.entries(OPTIONS)) {
  Deno.test(`hotplug ${command} --help names every option and shows examples`, async () => {
    const { code, stdout, stderr } = await hotplug(command, "--help");
    assertEquals([code, stderr], [0, ""]);
    for (const option of options) assertMatch(stdout, new RegExp(`^ +(-\\w, )?${option}\\b`, "m"));
    assertMatch(stdout, new RegExp(`^Examples:\n  hotplug ${command} `, "m"));
    for (const line of stdout.split("\n")) assert(line.length <= 90, line);
  });
}

Deno.test("hotplug --help names the commands and the exit codes, --version the version", async () => {
  const help = await hotplug("--help");
  assertEquals([help.code, help.stderr], [0, ""]);
  assertMatch(help.stdout, /^ {2}build .*\n {2}builder .*\n {2}daemon .*/m);
  assertMatch(help.stdout, /^Exit codes: 0 done, 1 failed, 2 /m);
  const version = await hotplug("--version");
  assertEquals([version.code, version.stderr], [0, ""]);
  assertMatch(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

Deno.test("hotplug without arguments shows its help as an error", async () => {
  const { code, stdout, stderr } = await hotplug();
  assertEquals([code, stdout], [2, ""]);
  assertMatch(stderr, /^Usage: hotplug /);
});

const BUILD = ["build", "x.ts", "--dest", "y"];
/** What was typed, and what of it the message names, with what to do. */
const MISUSES: readonly (readonly [readonly string[], string])[] = [
  [["frobnicate"], "unknown command 'frobnicate'\nRun hotplug --help"],
  [["build", "x.ts"], "required option '-d, --dest <DIR>' not specified\nRun hotplug build --help"],
  [["build", "--dest", "y"], "missing required argument 'SOURCE'"],
  [["build", "", "--dest", "y"], "'SOURCE'. It is empty."],
  [["build", "x.ts", "--dest", ""], "--dest <DIR>' argument '' is invalid. It is empty."],
  [[...BUILD, "--gzpi"], "unknown option '--gzpi'\n(Did you mean --gzip?)"],
  [[...BUILD, "--scn", "2026"], `Cannot read "2026" as an SCN: it takes exactly 14 digits`],
  [[...BUILD, "--scn", "20261301000000"], `Cannot read "20261301000000" as an SCN`],
  [
    [...BUILD, "--target", "amiga"],
    `Cannot read "amiga" as a target: no such platform; use one of`,
  ],
  [[...BUILD, "--name", "../x"], `Cannot use "../x" as a plugin's name: it takes a letter`],
  [[...BUILD, "--verify", "z"], "'--verify <ARTIFACT>' cannot be used with option '-d, --dest"],
  [[...BUILD, "--future-tolerance", "-1"], "Give a whole number, 0 or more."],
  [[...BUILD, "more"], "too many arguments for 'build'"],
  [["builder", "--port", "x"], "Give a whole number, 0 or more."],
  [["builder", "--host", "0.0.0.0"], "set a token, or listen on 127.0.0.1"],
  [["builder", "--token-file", "gone/token"], `Cannot read the token in "gone/token"`],
  [
    ["--state", "s", "ctl", "status"],
    `"--state" goes after the name of the command that takes it: hotplug ctl --state`,
  ],
  [["--dest=y", "build", "x.ts"], "hotplug build --dest …"],
  [["--state", "daemon", "ctl", "status"], "hotplug ctl --state …"],
  [["--trust=key", "verify", "daemon"], "hotplug verify --trust …"],
  [["--bogus", "ctl", "status"], "unknown option '--bogus'\nRun hotplug --help"],
  [["daemon"], "missing required argument 'DIR'\nRun hotplug daemon --help"],
  [["daemon", ""], "'DIR'. It is empty."],
  [["daemon", "d", "--initial-scn", "now"], `Cannot read "now" as an SCN`],
  [
    ["daemon", "x", "--memory-soft", "0"],
    "--memory-soft <MIB>' argument '0' is invalid. Give a number of MiB, from 1 to",
  ],
];

Deno.test("what makes no sense ends with 2, and a message that names it and the remedy", async () => {
  await Promise.all(MISUSES.map(async ([args, message]) => {
    const { code, stdout, stderr } = await hotplug(...args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertMatch(stderr, /^error: /);
    assertStringIncludes(stderr, message);
  }));
});

Deno.test("what fails ends with 1, and a message that names it and the remedy", async () => {
  await using directory = await tempDirectory();
  const gone = directory.file("gone.ts");
  const { code, stdout, stderr } = await hotplug("build", gone, "--dest", directory.path);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^error: Cannot read the source ".*gone\.ts": .*check the path\n$/);

  const bad = directory.file("bad.ts");
  await Deno.writeTextFile(bad, "export const price: number = 'much';");
  const unsound = await hotplug("build", bad, "--dest", directory.file("plugins"));
  assertEquals([unsound.code, unsound.stdout], [1, ""]);
  assertStringIncludes(unsound.stderr, "not assignable to type 'number'");
  assert(!unsound.stderr.includes("\x1b"), unsound.stderr);
});

Deno.test("with --json, a failure and a misuse are told on standard output too", async () => {
  await using directory = await tempDirectory();
  const dest = directory.file("plugins");
  const failed = await hotplug("build", directory.file("gone.ts"), "--dest", dest, "--json");
  assertEquals(failed.code, 1);
  const { message, ...error } = JSON.parse(failed.stdout);
  assertEquals(error, { type: "error", code: "source" });
  assertEquals(failed.stderr, `error: ${message}\n`);

  const misuse = await hotplug("build", "x.ts", "--json");
  assertEquals(misuse.code, 2);
  assertEquals(JSON.parse(misuse.stdout), {
    type: "error",
    code: "options",
    message: "required option '-d, --dest <DIR>' not specified",
  });
});
