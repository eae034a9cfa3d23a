import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { type DaemonProcess, hotplug, PATIENCE, startDaemon } from "./_cli.ts";
import { type TempDirectory, tempDirectory } from "./_temp.ts";

const ignore = Deno.build.os === "windows";

async function runningDaemon(at: TempDirectory, ...args: string[]): Promise<DaemonProcess> {
  await Deno.mkdir(at.file("plugins"), { recursive: true });
  const daemon = startDaemon([
    at.file("plugins"),
    "--no-config",
    "--state",
    at.file("state"),
    ...args,
  ]);
  await daemon.events.next(({ type }) => type === "ready", PATIENCE);
  return daemon;
}

function controls(state: string): string[] {
  return Array.from(Deno.readDirSync(state), ({ name }) => name)
    .filter((name) => name.startsWith("control.")).sort();
}

Deno.test({
  name: "by a copy of a state folder no daemon is driven, and it is said that none runs there",
  ignore,
  async fn() {
    await using at = await tempDirectory();
    const [state, copy] = [at.file("state"), at.file("copy")];
    await using daemon = await runningDaemon(at);
    await Deno.mkdir(copy, { mode: 0o700 });
    for await (const { name, isFile } of Deno.readDir(state)) {
      if (isFile) await Deno.copyFile(join(state, name), join(copy, name));
    }
    const place = JSON.parse(await Deno.readTextFile(join(state, "control.json")));
    const absolute = JSON.stringify({ ...place, socket: join(state, "control.sock") });
    for (const text of [JSON.stringify(place), absolute]) {
      await Deno.writeTextFile(join(copy, "control.json"), text);
      const { code, stderr } = await hotplug("ctl", "freeze", "pricing", "--state", copy);
      assertEquals(code, 1);
      assertStringIncludes(stderr, `by state folder "${copy}": none runs there`);
    }
    // As an older one has written it.
    await Deno.writeTextFile(join(state, "control.json"), absolute);
    assertEquals((await hotplug("ctl", "status", "--state", state)).code, 0);
    assertEquals(daemon.events.of("frozen"), []);
  },
});

Deno.test({
  name: "a state folder that was moved still leads to its own daemon",
  ignore,
  async fn() {
    await using at = await tempDirectory();
    await using _daemon = await runningDaemon(at);
    await Deno.rename(at.file("state"), at.file("moved"));
    const { code, stdout } = await hotplug("ctl", "status", "--json", "--state", at.file("moved"));
    assertEquals([code, JSON.parse(stdout).ready], [0, true]);
  },
});

Deno.test({
  name: "a daemon without a control removes what a killed one has left of its own",
  ignore,
  async fn() {
    await using at = await tempDirectory();
    const state = at.file("state");
    {
      await using killed = await runningDaemon(at);
      killed.kill("SIGKILL");
      await killed.ended();
    }
    assertEquals(controls(state), ["control.json", "control.sock"]);
    await using _daemon = await runningDaemon(at, "--no-control");
    assertEquals(controls(state), []);
    const { code, stderr } = await hotplug("ctl", "status", "--state", state);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "has no control (--no-control)");
  },
});
