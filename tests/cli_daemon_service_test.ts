import { assert, assertEquals } from "@std/assert";
import { hotplug, PATIENCE, spawnHotplug, startDaemon, within } from "./_cli.ts";
import { publish } from "./_daemon.ts";
import { hasProgram } from "./_program.ts";
import { runScript, startScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

const isLinux = Deno.build.os === "linux";

/** A process with a datagram socket, as systemd has one, that prints what it is told. */
function socketOf(path: string): string {
  return `
    const socket = Deno.listenDatagram({ transport: "unixpacket", path: ${JSON.stringify(path)} });
    console.log("listening");
    for (;;) {
      const [bytes] = await socket.receive();
      console.log(new TextDecoder().decode(bytes).replaceAll("\\n", "|"));
    }
  `;
}

async function tells(flags: readonly string[]): Promise<void> {
  await using directory = await tempDirectory();
  const path = directory.file("notify");
  await using listener = await startScript(directory.path, socketOf(path), [
    "-A",
    "--unstable-net",
  ]);
  const lines: string[] = [];
  let changed = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const text of listener.stdout.pipeThrough(new TextDecoderStream())) {
      lines.push(...text.trimEnd().split("\n"));
      changed.resolve();
      changed = Promise.withResolvers();
    }
  })();
  const told = async (text: string): Promise<void> => {
    while (!lines.some((line) => line.startsWith(text))) {
      await within(PATIENCE, changed.promise, () => `nobody said "${text}", but ${lines}`);
    }
  };
  await told("listening");
  await Deno.mkdir(directory.file("plugins"));
  await publish(directory.file("plugins"), "export const a = 1;");
  await using daemon = spawnHotplug(
    ["daemon", directory.file("plugins"), "--no-state", "--no-config"],
    { NOTIFY_SOCKET: path, WATCHDOG_USEC: "200000" },
    flags,
  );
  const output = daemon.output();
  await told("EXTEND_TIMEOUT_USEC=");
  await told("READY=1|STATUS=1 plugin loaded");
  await told("WATCHDOG=1");
  const uptime = Number((await Deno.readTextFile("/proc/uptime")).split(" ")[0]);
  daemon.kill("SIGHUP");
  const reloading = "RELOADING=1|MONOTONIC_USEC=";
  await told(reloading);
  const usec = Number(lines.find((line) => line.startsWith(reloading))?.split("=").at(-1));
  // An older one is none to systemd.
  assert(usec >= uptime * 1e6, `${usec} µs, but the system is up for ${uptime} s`);
  daemon.kill("SIGTERM");
  await told("STOPPING=1");
  const { code, stderr } = await output;
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  listener.kill("SIGKILL");
  await reading;
  await listener.stderr.cancel();
  await listener.stdin.close().catch(() => {});
}

Deno.test({
  name:
    "systemd is told when it goes on, is ready, reloads and stops, and that its main loop turns",
  ignore: !isLinux,
  fn: () => tells(["--unstable-net"]),
});

Deno.test({
  name: "without --unstable-net systemd is told by systemd-notify",
  ignore: !isLinux || !hasSystemdNotify(),
  fn: () => tells([]),
});

Deno.test({
  name: "a watchdog that waits for months is not told all the time that the main loop turns",
  ignore: !isLinux,
  async fn() {
    await using directory = await tempDirectory();
    const path = directory.file("notify");
    const flags = ["-A", "--unstable-net"];
    await using listener = await startScript(directory.path, socketOf(path), flags);
    const reader = listener.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let seen = "";
    const told = async (text: string): Promise<void> => {
      while (!seen.includes(text)) {
        const { value } = await within(
          PATIENCE,
          reader.read(),
          () => `only this was told: ${seen}`,
        );
        assert(value !== undefined, seen);
        seen += value;
      }
    };
    await told("listening");
    // More than a timer can hold, in milliseconds.
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: String(60 * 24 * 60 * 60 * 1e6) };
    await using daemon = startDaemon([directory.path, "--no-config"], env, ["--unstable-net"]);
    await told("READY=1");
    daemon.kill("SIGTERM");
    await told("STOPPING=1");
    assertEquals((await daemon.ended()).code, 0);
    assert(!seen.includes("WATCHDOG=1"), seen);
    listener.kill("SIGKILL");
    await reader.cancel();
    await Promise.all([listener.stderr.cancel(), listener.stdin.close()]);
  },
});

/** A process with a datagram socket that is full soon, and that nobody reads. */
function fullSocket(path: string): string {
  return `
    const path = ${JSON.stringify(path)};
    const socket = Deno.listenDatagram({ transport: "unixpacket", path });
    // One may have so much on its way only: less than a socket takes on some systems.
    for (let n = 0; n < 8; n++) {
      const sender = Deno.listenDatagram({ transport: "unixpacket", path: path + n });
      const fill = () => sender.send(new Uint8Array(1), socket.addr).then(fill);
      fill();
    }
    console.log("listening");
    // It goes with who holds it.
    setInterval(() => socket.addr, 1_000_000);
  `;
}

for (const flags of [["--unstable-net"], []]) {
  Deno.test({
    name: `a service manager that does not read keeps nothing from its reload and end, by ${
      flags[0] ?? "systemd-notify"
    }`,
    ignore: !isLinux || flags.length === 0 && !hasSystemdNotify(),
    async fn() {
      await using directory = await tempDirectory();
      const path = directory.file("notify");
      const script = fullSocket(path);
      await using listener = await startScript(directory.path, script, ["-A", "--unstable-net"]);
      const reader = listener.stdout.pipeThrough(new TextDecoderStream()).getReader();
      assertEquals((await reader.read()).value, "listening\n");
      const config = directory.file("hotplug.jsonc");
      await Deno.writeTextFile(config, `{ "watch": ["plugins"] }`);
      const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "20000" };
      await using daemon = startDaemon(["--config", config], env, flags);
      await daemon.events.next(({ type }) => type === "ready", PATIENCE);
      await daemon.printed("cannot tell the service manager: it does not read what it is told");
      daemon.kill("SIGHUP");
      await daemon.events.next(({ type }) => type === "config", PATIENCE);
      daemon.kill("SIGTERM");
      assertEquals((await daemon.ended()).code, 0);
      listener.kill("SIGKILL");
      await reader.cancel();
      await Promise.all([listener.stderr.cancel(), listener.stdin.close()]);
    },
  });
}

function hasSystemdNotify(): boolean {
  return hasProgram("systemd-notify", "--version");
}

Deno.test({
  name: "a process of the same id, in another container, does not keep systemd from being told",
  ignore: !isLinux,
  async fn() {
    await using directory = await tempDirectory();
    const { code, stderr } = await runScript(
      directory.path,
      `
      import process from "node:process";
      import { findServiceManager } from "project:cli/service_manager.ts";
      process.env.NOTIFY_SOCKET = "nobody";
      await using _one = findServiceManager(() => {});
      await using _other = findServiceManager(() => {});
      `,
      ["-A", "--unstable-net"],
    );
    assertEquals([code, stderr], [0, ""]);
  },
});

Deno.test({
  name: "past the hard limit of memory it drains and exits with 75",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    await publish(
      directory.path,
      "export const deactivate = () => console.log('deactivated'); export const a = 1;",
    );
    await using daemon = startDaemon([
      directory.path,
      "--no-config",
      "--memory-hard",
      "16",
      "--exit-on-memory",
    ]);
    const { code, stderr } = await daemon.ended();
    assertEquals(code, 75);
    assert(stderr.includes("more memory than its hard limit"), stderr);
    const told = daemon.events.of("memory");
    assertEquals(told.map(({ level }) => level), ["hard"]);
  },
});

Deno.test("an exit for want of memory without a limit is refused, by flag and by file", async () => {
  await using directory = await tempDirectory();
  const config = directory.file("hotplug.jsonc");
  await Deno.writeTextFile(config, `{ "memory": { "exit": true } }`);
  const byFlag = ["--no-config", "--exit-on-memory"];
  for (const [more, exit] of [[byFlag, 2], [["--config", config], 1]] as const) {
    const { code, stderr } = await hotplug("daemon", directory.path, ...more);
    assertEquals(code, exit);
    assert(stderr.includes("--memory-hard"), stderr);
  }
});

Deno.test({
  name: "past the soft limit nothing more is loaded, and that is told",
  async fn() {
    await using directory = await tempDirectory();
    await publish(directory.path, "export const a = 1;");
    await using daemon = startDaemon([directory.path, "--no-config", "--memory-soft", "16"]);
    const ready = await daemon.events.next(({ type }) => type === "ready", PATIENCE);
    assert(ready.type === "ready");
    assertEquals(ready.plugins, []);
    assertEquals(daemon.events.of("skipped").map(({ code }) => code), ["memory"]);
    assertEquals(daemon.events.of("memory").map(({ level }) => level), ["soft"]);
  },
});
