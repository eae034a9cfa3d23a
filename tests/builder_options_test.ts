import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { build, type BuildLogger, type BuildOptions } from "../builder/mod.ts";
import { logged } from "../builder/logged.ts";
import { builderFixture } from "./_builder_fixture.ts";
import { hotplug } from "./_cli.ts";
import { assertCode } from "./_errors.ts";
import { npmTest } from "./_npm_reach.ts";

/**
 * What stands for each option on the command line; undefined for what makes no sense there.
 *
 * An option that is missing here does not compile: each is to be had both ways.
 */
const FLAGS: Readonly<Record<keyof BuildOptions, string | undefined>> = {
  allowImport: "--allow-import",
  buildArgs: "--build-arg",
  cacheDir: "--cache-dir",
  check: "--no-check",
  contract: "--contract",
  define: "--define",
  deno: "--deno",
  denoVersion: "--deno-version",
  denortMirror: "--denort-mirror",
  deps: "--dep",
  dest: "--dest",
  env: "--env",
  frozen: "--frozen",
  futureTolerance: "--future-tolerance",
  gzip: "--gzip",
  hooks: "--hooks",
  limits: "--limit",
  logger: "--verbose",
  main: "--main",
  minify: "--no-minify",
  mode: "--mode",
  name: "--name",
  onProgress: "--quiet",
  optional: "--optional",
  permissions: "--allow-net",
  scn: "--scn",
  remote: "--remote",
  sign: "--sign",
  signal: undefined, // a signal of the system
  source: "SOURCE",
  sourcemap: "--no-sourcemap",
  targets: "--target",
};

Deno.test("each option of a build is a flag of the command, and each flag is known", async () => {
  const { stdout } = await hotplug("build", "--help");
  for (const flag of Object.values(FLAGS)) {
    if (flag !== undefined) assertMatch(stdout, new RegExp(`^ +(-\\w, )?${flag}\\b`, "m"));
  }
  const own = "--verify --json --help --token-file".split(" ");
  const permissions = "--allow-env --allow-ffi --allow-read --allow-run --allow-sys --allow-write";
  const known = [...Object.values(FLAGS), ...own, ...permissions.split(" ")];
  const shown = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag);
  assertEquals(shown.filter((flag) => !known.includes(flag)), []);
});

Deno.test("a contract of the command line is one that a host must declare", async () => {
  await using fixture = await builderFixture({ "mod.ts": "export const one = 1;" });
  const { source, dest } = fixture;
  const flags = ["--no-check", "--json", "--name", "tax", "--contract", "tax/2"];
  const { stdout, code } = await hotplug("build", source, "--dest", dest, ...flags);
  assertEquals(code, 0);
  const info = JSON.parse(await Deno.readTextFile(JSON.parse(stdout).infoPath));
  assertEquals(info.requires, { contract: "tax/2" });
});

/** A logger that keeps what it is told. */
function keeper(): BuildLogger & { readonly told: Record<keyof BuildLogger, string[]> } {
  const told: Record<keyof BuildLogger, string[]> = { debug: [], info: [], warn: [] };
  return {
    told,
    debug: (message) => void told.debug.push(message),
    info: (message) => void told.info.push(message),
    warn: (message) => void told.warn.push(message),
  };
}

Deno.test("a logger is told of each step and each program", async () => {
  await using fixture = await builderFixture({ "mod.ts": "export const one = 1;" });
  const logger = keeper();
  const { source, dest } = fixture;
  const { artifacts, scn } = await build({ source, dest, name: "tax", logger });
  const { told } = logger;
  assertEquals(told.info.map((line) => line.split(" ", 1)[0]), [
    "unpacked",
    "bundled",
    "reserved",
    "published",
  ]);
  assertEquals(told.info.slice(2), [
    `reserved the SCN ${scn}`,
    `published ${join(dest, artifacts[0]?.info.artifact.file ?? "")}`,
  ]);
  const commands = told.debug.map((line) => /^ran \S+ (\w+) .*: exit code 0 in/.exec(line)?.[1]);
  assertEquals(commands.toSorted(), ["bundle", "check", "info"]);
});

Deno.test("a logger is told what a program complains of that did not fail", async () => {
  const logger = keeper();
  const command = { program: "/bin/deno", args: ["compile", "x"], cwd: "/", env: {} };
  const outcome = (code: number) => Promise.resolve({ code, stdout: "", stderr: "one\n\ntwo\n" });
  await logged(() => outcome(0), logger)(command);
  await logged(() => outcome(1), logger)(command);
  assertEquals(logger.told.warn, ["one", "two"]);
  assertMatch(logger.told.debug.join("\n"), /^ran deno compile x: .* 0 in .*\n.* exit code 1 in/);
});

npmTest({
  name: "arguments that a build passes on are taken by each program that they go to",
  async fn() {
    await using fixture = await builderFixture({
      "mod.ts": `import semver from "npm:semver@7.7.2"; export const one = semver.major("1.2.3");`,
    });
    const { source, dest } = fixture;
    const cases = [
      "--conditions=worker",
      "--minimum-dependency-age=1",
      "--no-remote",
      "--reload",
      "--unstable-raw-imports",
    ];
    for (const arg of cases) {
      const { artifacts } = await build({ source, dest, buildArgs: [arg], name: "tax" });
      assertEquals(artifacts[0]?.info.exports, ["one"], arg);
    }
    const error = await assertCode(build({ source, dest, buildArgs: ["--no-npm"] }), "bundle");
    assertMatch(error.message, /npm/);
  },
});

Deno.test("arguments that would change what a build promises are refused with what to do", async () => {
  await using fixture = await builderFixture({ "mod.ts": "export const one = 1;" });
  const { source, dest } = fixture;
  const cases: Readonly<Record<string, RegExp>> = {
    "--allow-import=example.com": /not the plugin's to say/,
    "--allow-scripts": /not the plugin's to say/,
    "-A": /permissions have an option/,
    "--allow-read=/etc": /permissions have an option/,
    "--config=/etc/deno.json": /plugin's deno\.json/,
    "--import-map=x": /plugin's deno\.json/,
    "--output=/etc/passwd": /named by rule/,
    "--external=x": /optional import/,
    "--env-file": /files of this machine/,
    "--preload=x.ts": /files of this machine/,
    "--watch": /a build ends/,
    "--no-lock": /may not be passed on; what may: /,
    "mod2.ts": /may not be passed on/,
    "--": /may not be passed on/,
    "--conditions": /it takes a value/,
    "--no-npm=x": /it takes no value/,
    "--seed=1": /for executables only/,
    "--conditions=a\n--allow-all": /control characters/,
  };
  for (const [arg, message] of Object.entries(cases)) {
    const error = await assertCode(build({ source, dest, buildArgs: [arg] }), "options");
    assertMatch(error.message, message, arg);
  }
  assertEquals(await fixture.list(), []);
});
