import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { HotplugError } from "../artifact/mod.ts";
import { PluginManager } from "../manager/mod.ts";
import { ChildProcess } from "../manager/tiers/child_process.ts";
import { findDeno } from "../manager/tiers/find_deno.ts";
import { encodeFrame, FrameKind, HELLO_MARK, HOST_ARGUMENT, HOST_TEXT } from "../plugin/mod.ts";
import { assertCode, assertThrowsCode } from "./_errors.ts";
import { executableFixture, executableTest, onlyArtifact } from "./_executable.ts";
import { within } from "./_daemon.ts";
import { makePipes } from "./_pipes.ts";
import { tempDirectory } from "./_temp.ts";
import { tierFixture } from "./_tiers.ts";

const ROOT = new URL("../", import.meta.url);

Deno.test("a process may do what its info file asks for and its host allows, and the rest is told", async () => {
  await using fixture = await tierFixture({
    tier: "process",
    permissions: { read: [Deno.cwd()], env: ["HOTPLUG_SHOWN"], net: ["127.0.0.1:1"] },
    env: { HOTPLUG_SHOWN: "yes", HOTPLUG_HIDDEN: "no" },
  });
  const source = `
    export const read = (path) => Deno.readTextFileSync(path).length > 0;
    export const env = (name) => Deno.env.get(name);
    export const host = () => Deno.env.get("HOME");`;
  const plugin = await fixture.open(source, {
    permissions: { read: [Deno.cwd(), "/etc"], env: ["HOTPLUG_SHOWN", "HOME"], net: true },
  });
  assertEquals(await plugin.call("read", fromFileUrl(new URL("deno.json", ROOT))), true);
  assertEquals(await plugin.call("env", "HOTPLUG_SHOWN"), "yes");
  for (
    const [symbol, argument] of [["read", "/etc/hostname"], ["env", "HOTPLUG_HIDDEN"], ["host"]]
  ) {
    const error = await plugin.call(symbol ?? "", argument).catch((each) => each);
    assert(error instanceof Error);
    assertEquals(error.name, "NotCapable");
  }
  const event = fixture.events.all.find(({ type }) => type === "permissions");
  assert(event?.type === "permissions");
  assertStringIncludes(event.message, "read /etc");
  assertStringIncludes(event.message, "env HOME");
  assertEquals(event.name, "pricing");
});

Deno.test("what may be read is compared after its links were followed", async () => {
  await using directory = await tempDirectory();
  await Deno.mkdir(directory.file("allowed"));
  await Deno.symlink("/etc", directory.file("allowed", "link"));
  await using fixture = await tierFixture({
    tier: "process",
    permissions: { read: [directory.file("allowed")] },
  });
  const plugin = await fixture.open(
    "export const read = (path) => Deno.readTextFileSync(path).length;",
    { permissions: { read: [directory.file("allowed", "link")] } },
  );
  const error = await plugin.call("read", directory.file("allowed", "link", "hostname")).catch((
    each,
  ) => each);
  assert(error instanceof Error);
  assertEquals(error.name, "NotCapable");
  assertEquals(fixture.events.all.filter(({ type }) => type === "permissions").length, 1);
});

Deno.test("the Deno that runs processes: option, variable, this one unless compiled, PATH", () => {
  const files = new Set(["/opt/deno", "/var/deno", "/usr/bin/deno"]);
  const world = (variables: Record<string, string>, standalone: boolean) => ({
    execPath: "/self/deno",
    standalone,
    variable: (name: string) => variables[name],
    isFile: (path: string) => files.has(path),
  });
  const path = { PATH: "relative:/nowhere:/usr/bin" };
  const named = { ...path, HOTPLUG_DENO: "/var/deno" };
  assertEquals(findDeno("/opt/deno", world(named, false)), "/opt/deno");
  assertEquals(findDeno(undefined, world(named, false)), "/var/deno");
  assertEquals(findDeno(undefined, world(path, false)), "/self/deno");
  assertEquals(findDeno(undefined, world(path, true)), "/usr/bin/deno");
  for (
    const find of [
      () => findDeno("/gone", world(named, false)),
      () => findDeno(undefined, world({ HOTPLUG_DENO: "/gone" }, false)),
      () => findDeno(undefined, world({}, true)),
    ]
  ) {
    assertThrowsCode(find, "no-deno");
  }
});

Deno.test("without a Deno nothing is loaded into a process, and the error says how to name one", async () => {
  await using fixture = await tierFixture({ tier: "process", deno: "/nowhere/deno" });
  const error = await assertCode(fixture.open("export const one = 1;"), "no-deno");
  assertStringIncludes(error.message, "/nowhere/deno");
});

Deno.test("no process is left when its host is killed, busy as it may be", async () => {
  await using directory = await tempDirectory();
  const script = directory.file("host.ts");
  await Deno.writeTextFile(
    directory.file("loop_20240101000000_2_0_0_any_any.mjs"),
    "export const pid = () => Deno.pid; export function loop() { for (;;); }",
  );
  await Deno.writeTextFile(
    script,
    `import { PluginManager } from ${JSON.stringify(new URL("manager/mod.ts", ROOT).href)};
    const manager = new PluginManager({ tier: "process" });
    const plugin = await manager.open(${
      JSON.stringify(directory.file("loop_20240101000000_2_0_0_any_any.mjs"))
    });
    console.log(await plugin.call("pid"));
    await plugin.call("loop");`,
  );
  const host = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      `--config=${fromFileUrl(new URL("deno.json", ROOT))}`,
      script,
    ],
    stdout: "piped",
  }).spawn();
  const reader = host.stdout.getReader();
  const { value } = await reader.read();
  const pid = Number(new TextDecoder().decode(value));
  assert(isRunning(pid));
  host.kill("SIGKILL");
  await host.status;
  await reader.cancel();
  const limit = Date.now() + 5_000;
  while (isRunning(pid) && Date.now() < limit) await new Promise((done) => setTimeout(done, 10));
  assert(!isRunning(pid), `process ${pid} is still there`);
});

/** Whether the process is there, and no mere entry that nobody has asked about yet. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

Deno.test("a process ends with its input", async () => {
  await using directory = await tempDirectory();
  await Deno.writeTextFile(directory.file("host.mjs"), HOST_TEXT);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", directory.file("host.mjs"), HOST_ARGUMENT],
    stdin: "piped",
  }).spawn();
  await child.stdin.close();
  assertEquals((await child.status).code, 0);
});

Deno.test("a process that is not spoken to by a host says so and ends", async () => {
  await using directory = await tempDirectory();
  await Deno.writeTextFile(directory.file("host.mjs"), HOST_TEXT);
  const [frame] = encodeFrame(HELLO_MARK, FrameKind.hello, { head: "", text: "{}", buffers: [] });
  for (
    const input of [
      new TextEncoder().encode("hello, who is there?"),
      frame as Uint8Array<ArrayBuffer>,
    ]
  ) {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-config", directory.file("host.mjs"), HOST_ARGUMENT],
      stdin: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(input);
    const { code, stderr } = await child.output();
    await writer.close().catch(() => {});
    assertEquals(code, 76);
    assertStringIncludes(new TextDecoder().decode(stderr), "hotplug");
  }
});

const QUIET = { log: () => {}, late: () => {}, flooded: () => {} };

async function childOf(program: string): Promise<ChildProcess> {
  const directory = await Deno.makeTempDir({ prefix: "hotplug-test-" });
  const path = join(directory, "host.mjs");
  await Deno.writeTextFile(path, program);
  const args = ["run", "--no-config", path, HOST_ARGUMENT];
  const command = { label: "plugin", name: "plugin", program: Deno.execPath(), args, env: {} };
  const child = new ChildProcess(command, QUIET);
  void child.ended.then(() => Deno.remove(directory, { recursive: true }));
  return child;
}

Deno.test("host and process agree on a version of the protocol, or part with a clear error", async () => {
  const agreed = await childOf(HOST_TEXT);
  await agreed.greet([99, 1]);
  assertEquals(typeof await agreed.connection.call("ping"), "object");
  agreed.kill(new HotplugError("closed", "Over"));
  await agreed.ended;
  const apart = await childOf(HOST_TEXT);
  const error = await assertCode(apart.greet([99]), "protocol");
  assertStringIncludes(error.message, "build it again");
  apart.kill(error);
  await apart.ended;
});

Deno.test("a program that is no host of a plugin is told from one by its first bytes", async () => {
  const child = await childOf(
    'console.log("Usage: tool FILE"); await new Promise((r) => setTimeout(r, 1e4));',
  );
  const error = await assertCode(child.greet(), "protocol");
  assertStringIncludes(error.message, "Usage");
  await child.ended;
});

executableTest("an executable is off by default, and checked when it is copied", async (t) => {
  await using fixture = await executableFixture();
  const { path, info } = onlyArtifact(
    await fixture.build("export const main = () => import.meta.main;", {
      check: false,
      gzip: true,
    }),
  );
  await t.step("off by default", async () => {
    await using manager = new PluginManager();
    await assertCode(manager.open(path), "unsupported");
  });
  await t.step("on, packed", async () => {
    await using manager = new PluginManager({ executables: true });
    const plugin = await manager.open(path);
    assertEquals([plugin.tier, await plugin.call("main")], ["process", false]);
    assertEquals(plugin.info?.name, info.name);
  });
  await t.step("a changed byte", async () => {
    const bytes = await Deno.readFile(path);
    bytes[bytes.length >> 1]! ^= 1;
    await Deno.writeFile(path, bytes);
    await using manager = new PluginManager({ executables: true });
    await assertCode(manager.open(path), "integrity");
  });
  await t.step("cut short", async () => {
    await Deno.truncate(path, info.artifact.size - 10);
    await using manager = new PluginManager({ executables: true });
    await assertCode(manager.open(path), "integrity");
  });
});

for (
  const [how, end] of [
    ["is closed", "export const end = () => {};"],
    ["has crashed", "export const end = () => Deno.exit(3);"],
  ] as const
) {
  Deno.test({
    name: `what a plugin's process has started ends with it when it ${how}`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using fixture = await tierFixture({ tier: "process", permissions: { run: true } });
      await using directory = await tempDirectory();
      const pipe = directory.file("pipe");
      await makePipes(pipe);
      const command = ["-c", `exec /bin/sleep 60 > ${pipe}`];
      const plugin = await fixture.open(
        `new Deno.Command("/bin/sh", { args: ${JSON.stringify(command)}, stdin: "null" }).spawn();
         ${end}`,
        { permissions: { run: true } },
      );
      // Opened once somebody writes to it, and at its end once nobody has it any more.
      using reader = await Deno.open(pipe);
      await plugin.call("end").catch(() => {});
      await fixture.manager.close();
      assertEquals(await within(10_000, "its end", reader.read(new Uint8Array(1))), null);
    },
  });
}
