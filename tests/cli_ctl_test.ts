import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { readPlace } from "../daemon/control/control_place.ts";
import {
  type DaemonProcess,
  HOTPLUG,
  PATIENCE,
  spawnHotplug,
  startDaemon,
  within,
} from "./_cli.ts";
import { publish } from "./_daemon.ts";
import type { ScriptResult } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

const [FIRST, SECOND] = [20240101000000, 20240101000001] as const;
const SOURCE = `
  export const greet = (name) => \`Hello, \${name}!\`;
  export const fail = () => { throw new Error("no such luck"); };
`;
const ignore = Deno.build.os === "windows";

interface CtlFixture extends AsyncDisposable {
  readonly plugins: string;
  /** The environment of all that runs here. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs hotplug ctl. */
  ctl(...args: readonly string[]): Promise<ScriptResult>;
  /** Starts a daemon on the plugins, unless told otherwise, and waits until it is ready. */
  daemon(args?: readonly string[], folders?: readonly string[]): Promise<DaemonProcess>;
  file(...parts: readonly string[]): string;
}

async function fixture(): Promise<CtlFixture> {
  const directory = await tempDirectory();
  const plugins = directory.file("plugins");
  await Deno.mkdir(plugins);
  const env = { XDG_STATE_HOME: directory.file("home") };
  return {
    plugins,
    env,
    async ctl(...args) {
      const { code, stdout, stderr } = await spawnHotplug(["ctl", ...args], env).output();
      const decoder = new TextDecoder();
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    },
    async daemon(args = [], folders = [plugins]) {
      const daemon = startDaemon([...folders, "--no-config", ...args], env);
      await daemon.events.next(({ type }) => type === "ready", PATIENCE);
      return daemon;
    },
    file: (...parts) => directory.file(...parts),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

async function twoVersions({ plugins }: CtlFixture, daemon: DaemonProcess): Promise<void> {
  for (const scn of [FIRST, SECOND]) {
    await publish(plugins, SOURCE, { name: "greeter", scn });
    await daemon.events.next((event) => event.type === "loaded" && event.scn === scn, PATIENCE);
  }
}

Deno.test({
  name: "hotplug ctl shows how a daemon stands, and drives it",
  ignore,
  async fn() {
    await using at = await fixture();
    await using daemon = await at.daemon(["--allow-invoke"]);
    await twoVersions(at, daemon);
    const done = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await at.ctl(...args);
      assertEquals([code, stderr], [0, ""], args.join(" "));
      return stdout;
    };
    const status = await done("status");
    assertMatch(status, /^daemon +ready, for /);
    assertStringIncludes(status, `${at.plugins}  events  watching`);
    assertMatch(status, /^greeter +20240101000001 +inline +2 +0 +0 +0$/m);
    assertEquals(JSON.parse(await done("status", "--json")).ready, true);
    const plugins = JSON.parse(await done("plugins", "--json"));
    assertEquals(plugins.map(({ name }: { readonly name: string }) => name), ["greeter"]);
    assertMatch(await done("plugins", "greeter"), /^20240101000001 +current +inline /m);

    assertEquals(await done("invoke", "greeter", "greet", `"Ada"`), `"Hello, Ada!"\n`);
    const back = JSON.parse(await done("rollback", "greeter", "--reason", "a test", "--json"));
    assertEquals([back.plugin.current, back.plugin.held], [FIRST, SECOND]);
    assertMatch(await done("plugins"), /held up to 20240101000001$/m);
    assertStringIncludes(await done("freeze", "greeter"), "frozen");
    assertStringIncludes(await done("freeze", "greeter"), "nothing to do");
    await done("thaw", "greeter");
    await done("release", "greeter");
    await daemon.events.next((event) => event.type === "released");
    await done("rescan");
    assertEquals(await done("quarantine"), "nothing in quarantine\n");
    assertEquals(await done("quarantine", "list", "--json"), "[]\n");
    assertEquals(await done("log-level"), "info\n");
    assertEquals(await done("log-level", "error"), "error\n");
    const told = (await done("events", "--last", "1000", "--no-follow", "--json"))
      .trimEnd().split("\n").map((line) => JSON.parse(line));
    const last = JSON.stringify(told.at(-1));
    await daemon.events.next((event) => JSON.stringify(event) === last, PATIENCE);
    assertEquals(told, [...daemon.events.all]);
    assertMatch(await done("events", "--last", "1000", "--no-follow"), /rolled-back {2}greeter /);
  },
});

Deno.test({
  name: "hotplug ctl ends with 1 and a message where something fails, with 2 for a misuse",
  ignore,
  async fn() {
    await using at = await fixture();
    await using daemon = await at.daemon();
    await twoVersions(at, daemon);
    const cases: readonly (readonly [number, string, ...string[]])[] = [
      [1, `There is no plugin "nothing"`, "plugins", "nothing"],
      [1, `No plugin "nothing" is loaded`, "rollback", "nothing"],
      [1, "no such generation is in memory", "rollback", "greeter", "--to", "20230101000000"],
      [1, "--allow-invoke", "invoke", "greeter", "greet"],
      [1, "in quarantine", "quarantine", "release", "greeter", String(FIRST)],
      [1, "approval", "approve", "greeter"],
      [2, "missing required argument 'NAME'", "rollback"],
      [2, "It is no JSON", "invoke", "greeter", "greet", "Ada"],
      [2, "Give one of trace", "log-level", "loud"],
      [2, "from 0 to 999999999", "events", "--last", "99999999999"],
      [2, "Give it as http://HOST:PORT", "status", "--control", "somewhere"],
      [2, "unknown command", "stop"],
      [2, "Usage: hotplug ctl"],
      [1, "No daemon answers", "status", "--control", "http://127.0.0.1:1"],
      [1, "No daemon can be controlled", "status", "--state", at.file("elsewhere")],
      [1, "No daemon can be controlled", "status", "--watch", at.file("elsewhere")],
    ];
    await Promise.all(cases.map(async ([code, text, ...args]) => {
      const result = await at.ctl(...args);
      assertEquals([result.code, result.stdout], [code, ""], args.join(" "));
      assertStringIncludes(result.stderr, text, args.join(" "));
    }));
    const json = await at.ctl("rollback", "nothing", "--json");
    const { type, code } = JSON.parse(json.stdout);
    assertEquals([json.code, type, code], [1, "error", "not-found"]);
    const nothing = await at.ctl("--json");
    assertStringIncludes(JSON.parse(nothing.stdout).message, "No command was named");
  },
});

Deno.test({
  name:
    "hotplug ctl finds the daemon by its folders, its state, a configuration, or as the only one",
  ignore,
  async fn() {
    await using at = await fixture();
    const none = await at.ctl("status");
    assertEquals(none.code, 1);
    assertStringIncludes(none.stderr, "start one with hotplug daemon");
    await using first = await at.daemon();
    assertEquals((await at.ctl("status")).code, 0);
    const [other, state] = [at.file("other"), at.file("state")];
    await using _second = await at.daemon([], [other, at.plugins]);
    await using _third = await at.daemon(["--state", state], [at.file("third")]);
    const several = await at.ctl("status");
    assertEquals(several.code, 1);
    assertMatch(several.stderr, /2 daemons run; name one: --state .* or --state /);
    // In words of whoever started them.
    assertStringIncludes(several.stderr, `(it watches "${at.plugins}")`);
    assertStringIncludes(several.stderr, `(it watches "${other}" and "${at.plugins}")`);
    const folders = async (...args: readonly string[]): Promise<string[]> => {
      const { code, stdout, stderr } = await at.ctl("status", "--json", ...args);
      assertEquals(code, 0, stderr);
      const { watch } = JSON.parse(stdout) as { watch: { directory: string }[] };
      return watch.map(({ directory }) => directory);
    };
    assertEquals(await folders("--watch", at.plugins), [at.plugins]);
    // One of its folders will do, where no other daemon watches that.
    assertEquals(await folders("--watch", other), [other, at.plugins]);
    // In any order, as its state folder does not depend on it.
    assertEquals(await folders("--watch", at.plugins, "--watch", other), [other, at.plugins]);
    assertEquals(await folders("--state", state), [at.file("third")]);
    const elsewhere = await at.ctl("status", "--watch", at.file("third"));
    assertEquals(elsewhere.code, 1);
    assertStringIncludes(elsewhere.stderr, "with a --state of its own is found by that alone");
    // What a killed one left is no daemon.
    first.kill("SIGKILL");
    await first.ended();
    assertEquals(await folders(), [other, at.plugins]);
    const gone = await at.ctl("status", "--watch", at.plugins);
    assertEquals(gone.code, 1);
    assertMatch(gone.stderr, /No daemon can be controlled .* none runs there/);
  },
});

Deno.test({
  name: "hotplug ctl says so where nothing is known of a plugin, as after a slip in its name",
  ignore,
  async fn() {
    await using at = await fixture();
    await using daemon = await at.daemon();
    const done = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await at.ctl(...args);
      assertEquals([code, stderr], [0, ""], args.join(" "));
      return stdout;
    };
    const known = async (what: string, name: string): Promise<unknown> =>
      JSON.parse(await done(what, name, "--json")).known;
    await publish(at.plugins, "syntax error", { name: "broken" });
    await daemon.events.next(({ type }) => type === "failed", PATIENCE);
    const frozen = await done("freeze", "greter");
    assertMatch(frozen, /^nothing of plugin "greter" is known yet, and what comes is kept out/);
    assertStringIncludes(frozen, "greter: frozen");
    for (const what of ["freeze", "release", "thaw", "thaw"]) {
      assertMatch(await done(what, "greter"), /nothing of plugin "greter" is known/, what);
      assertEquals(await known(what, "greter"), false, what);
    }
    // What comes while it is frozen is known, though nothing of it is loaded.
    await done("freeze", "greeter");
    await publish(at.plugins, SOURCE, { name: "greeter" });
    await done("rescan");
    for (const name of ["greeter", "broken"]) assertEquals(await known("freeze", name), true);
    assertEquals((await done("freeze", "greeter")).includes("known"), false);
    await done("thaw", "broken");
    const { code, stderr } = await at.ctl("plugins", "broken");
    assertEquals(code, 1);
    assertStringIncludes(stderr, `Nothing of plugin "broken" is loaded; its events tell why`);
  },
});

Deno.test({
  name: "what is common to all of hotplug ctl may come before a subcommand's name, or after it",
  ignore,
  async fn() {
    await using at = await fixture();
    const [one, two] = [at.file("one"), at.file("two")];
    await using _first = await at.daemon(["--state", one]);
    await using _second = await at.daemon(["--state", two]);
    const state = async (...args: readonly string[]): Promise<unknown> => {
      const { code, stdout, stderr } = await at.ctl(...args);
      assertEquals(code, 0, `${args.join(" ")}: ${stderr}`);
      return JSON.parse(stdout).state;
    };
    assertEquals(await state("--state", one, "--json", "status"), one);
    assertEquals(await state("--json", "status", "--state", one), one);
    // What comes later holds, as where a flag is given twice in one place.
    assertEquals(await state("--state", one, "status", "--json", "--state", two), two);
    for (
      const args of [
        ["--state", one, "quarantine", "--json"],
        ["quarantine", "--state", one, "--json"],
        ["--json", "quarantine", "--state", one, "list"],
      ]
    ) {
      assertEquals((await at.ctl(...args)).stdout, "[]\n", args.join(" "));
    }
    // Both places together name one daemon.
    const folders = await at.ctl("--watch", "a", "status", "--watch", "b");
    const turned = await at.ctl("status", "--watch", "b", "--watch", "a");
    assertEquals([folders.code, folders.stderr], [1, turned.stderr]);
  },
});

Deno.test({
  name:
    "hotplug ctl events goes on where it was when the connection breaks, and ends with the daemon",
  ignore,
  async fn() {
    await using at = await fixture();
    await using daemon = await at.daemon();
    await using watcher = spawnHotplug(["ctl", "events", "--json", "--last", "99"], at.env);
    const lines = watcher.stdout.pipeThrough(new TextDecoderStream());
    const reader = lines.getReader();
    let seen = "";
    const until = async (text: string): Promise<void> => {
      while (!seen.includes(text)) {
        const { value } = await within(PATIENCE, reader.read(), () => `no "${text}" in ${seen}`);
        seen += value ?? "";
      }
    };
    await until(`"type":"ready"`);
    await twoVersions(at, daemon);
    await until(String(SECOND));
    daemon.kill("SIGTERM");
    await until(`"type":"stopped"`);
    assertEquals((await watcher.status).code, 0);
    assertEquals((await daemon.ended()).code, 0);
    const told = seen.trimEnd().split("\n").map((line) => JSON.parse(line).type);
    assertEquals(told.filter((type) => type === "loaded").length, 2);
    await reader.cancel();
    await watcher.stderr.cancel();
  },
});

Deno.test({
  name: "over TCP hotplug ctl and the daemon take a token, made by the daemon or given to both",
  async fn() {
    await using at = await fixture();
    const state = at.file("state");
    const address = ["--control", "127.0.0.1:0", "--state", state];
    const ask = async (...more: readonly string[]): Promise<ScriptResult> => {
      const { url = "" } = await readPlace(state) ?? {};
      assertMatch(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
      return await at.ctl("status", "--json", "--control", url, ...more);
    };
    {
      await using _daemon = await at.daemon(address);
      const denied = await ask();
      assertEquals([denied.code, JSON.parse(denied.stdout).code], [1, "unauthorized"]);
      assertEquals((await ask("--token-file", join(state, "control.token"))).code, 0);
    }
    const token = at.file("token");
    await Deno.writeTextFile(token, "a-token-that-is-long-enough\n");
    await using _daemon = await at.daemon([...address, "--token-file", token]);
    assertEquals((await ask("--token-file", token)).code, 0);
    assertEquals((await ask("--token-file", join(state, "control.token"))).code, 1);
    for (
      const rubbish of [
        "two words\n",
        "two\nlines",
        "schl\u00fcssel-schl\u00fcssel",
        "\u0000\ufffd",
      ]
    ) {
      await Deno.writeTextFile(token, rubbish);
      const { code, stdout } = await ask("--token-file", token);
      assertEquals([code, JSON.parse(stdout).code], [2, "options"], rubbish);
    }
  },
});

Deno.test({
  name: "hotplug ctl does not wait for a daemon that is stopped, and says so",
  ignore,
  async fn() {
    await using at = await fixture();
    await using daemon = await at.daemon();
    daemon.kill("SIGSTOP");
    const { code, stderr } = await at.ctl("status", "--watch", at.plugins);
    daemon.kill("SIGCONT");
    assertEquals(code, 1);
    assertStringIncludes(stderr, "no sign of life");
    assertEquals((await at.ctl("status", "--watch", at.plugins)).code, 0);
  },
});

Deno.test("a daemon's control can be turned off, and what makes no sense is a misuse", async () => {
  await using at = await fixture();
  const state = at.file("state");
  {
    await using daemon = await at.daemon(["--no-control", "--state", state]);
    const left = await Array.fromAsync(Deno.readDir(state), ({ name }) => name);
    assert(!left.some((name) => name.startsWith("control")), left.join());
    assertEquals((await at.ctl("status", "--state", state)).code, 1);
    daemon.kill("SIGTERM");
    await daemon.ended();
  }
  for (
    const [args, text] of [
      [["--no-state", "--control", "127.0.0.1:0"], "--token-file"],
      [["--control", "9090"], "Give it as HOST:PORT"],
      [["--control", "127.0.0.1:99999"], "at most 65535"],
      [["--token-file", at.file("none")], "is for --control HOST:PORT"],
      [["--control", "127.0.0.1:0", "--token-file", at.file("none")], "Cannot read the token"],
    ] as const
  ) {
    await using daemon = startDaemon([at.plugins, "--no-config", ...args], at.env);
    const { code, stderr } = await daemon.ended();
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, text);
  }
});

Deno.test({
  name: "a daemon that was killed leaves a socket that the next one replaces",
  ignore,
  async fn() {
    await using at = await fixture();
    {
      await using daemon = await at.daemon();
      daemon.kill("SIGKILL");
      await daemon.ended();
    }
    await using _next = await at.daemon();
    assertEquals((await at.ctl("status")).code, 0);
    await using rival = startDaemon([at.plugins, "--no-config", "--gateway", "0"], at.env);
    const { code, stderr } = await rival.ended();
    assertEquals(code, 1);
    // It serves nothing, and says nothing else.
    assert(!stderr.includes("Serves plugins"), stderr);
    assertStringIncludes(stderr, "has it; stop that one");
    assertEquals((await at.ctl("status")).code, 0);
  },
});

Deno.test("hotplug ctl tells what is no daemon's control, and does not wait for events of it", async () => {
  await using at = await fixture();
  let answer = (): Response => new Response();
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) =>
      // As many a server has it.
      new URL(request.url).pathname === "/livez" ? new Response("ok") : answer(),
  );
  const address = ["--control", `http://127.0.0.1:${server.addr.port}`];
  for (
    const [next, text] of [
      [() => new Response("<html>"), "is no daemon's control"],
      [() => new Response(null, { status: 204 }), "is no daemon's control"],
      [() => Response.json({}), "not what a daemon of this version answers with"],
      [() => Response.json(null), "not what a daemon of this version answers with"],
    ] as const
  ) {
    answer = next;
    for (const what of [["status"], ["plugins", "greeter"], ["freeze", "greeter"]]) {
      const { code, stdout, stderr } = await at.ctl(...what, ...address);
      assertEquals([code, stdout], [1, ""], stderr);
      assertStringIncludes(stderr, text);
    }
    const { code, stderr } = await at.ctl("events", ...address);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "is no daemon's control");
  }
});

Deno.test({
  name:
    "where the configuration in its folder is no good, hotplug ctl says how else a daemon is found",
  ignore,
  async fn() {
    await using at = await fixture();
    await Deno.writeTextFile(at.file("hotplug.jsonc"), '{ "watch": [');
    await using _daemon = await at.daemon();
    const status = async (...flags: readonly string[]): Promise<readonly [number, string]> => {
      const [command = "", ...args] = HOTPLUG;
      const { code, stderr } = await new Deno.Command(command, {
        args: [...args, "ctl", "status", ...flags],
        cwd: at.file(),
        env: { ...at.env, NO_COLOR: "" },
      }).output();
      return [code, new TextDecoder().decode(stderr)];
    };
    const [code, stderr] = await status();
    assertEquals(code, 1);
    assertStringIncludes(stderr, "CloseBracketExpected; by it no daemon is found; say which is");
    assertEquals(await status("--watch", "plugins"), [0, ""]);
  },
});
