import { assertEquals, assertStringIncludes } from "@std/assert";
import { HOTPLUG, PATIENCE, startDaemon, within } from "./_cli.ts";
import { publish } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

Deno.test({
  name: "SIGHUP reads a configuration file that came after the start, and from then on misses it",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    const [command = "", ...args] = HOTPLUG;
    await using daemon = new Deno.Command(command, {
      args: [...args, "daemon", directory.file("plugins"), "--no-state", "--json"],
      cwd: directory.path,
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    let stdout = "";
    let [came, told, missed] = [false, false, false];
    const reading = (async () => {
      for await (const text of daemon.stdout.pipeThrough(new TextDecoderStream())) {
        stdout += text;
        if (!came && stdout.includes('"ready"')) {
          came = true;
          await Deno.writeTextFile(directory.file("hotplug.jsonc"), '{"stopDeadline": 1}');
          daemon.kill("SIGHUP");
        }
        if (!told && stdout.includes('"config"')) {
          told = true;
          await Deno.remove(directory.file("hotplug.jsonc"));
          daemon.kill("SIGHUP");
        }
        if (!missed && stdout.includes("the last good configuration stays")) {
          missed = true;
          daemon.kill("SIGTERM");
        }
      }
    })();
    const { code } = await within(PATIENCE, daemon.status, () => `it did not end: ${stdout}`);
    await reading;
    assertEquals(code, 0);
    assertStringIncludes(stdout, '"restart":["stopDeadline"]');
  },
});

Deno.test({
  name: "ctrl-c reaches the daemon alone: a plugin in a process of its own ends in order",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    await Deno.mkdir(directory.file("plugins"));
    await publish(
      directory.file("plugins"),
      "export const answer = () => 1; export const deactivate = () => console.log('in order');",
    );
    await Deno.writeTextFile(directory.file("hotplug.jsonc"), '{"defaults": {"tier": "process"}}');
    const [command = "", ...args] = HOTPLUG;
    await using daemon = new Deno.Command(command, {
      args: [...args, "daemon", directory.file("plugins"), "--no-state", "--json"],
      cwd: directory.path,
      // As the job of a shell is.
      detached: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const stderr = new Response(daemon.stderr).text();
    let stdout = "";
    let interrupted = false;
    const reading = (async () => {
      for await (const text of daemon.stdout.pipeThrough(new TextDecoderStream())) {
        stdout += text;
        if (interrupted || !stdout.includes('"ready"')) continue;
        interrupted = true;
        // A negative id is that of a group: what a terminal does.
        Deno.kill(-daemon.pid, "SIGINT");
      }
    })();
    const { code } = await within(PATIENCE, daemon.status, () => `it did not end: ${stdout}`);
    await reading;
    assertEquals([code, stdout.includes('"failed"')], [0, false], stdout);
    assertStringIncludes(await stderr, "in order");
  },
});

const SPOILERS: Readonly<Record<string, string>> = {
  "a daemon ends in order though a plugin has frozen where it prints to": `
    for (const each of [console, process.stdout, Deno.stdout]) Object.freeze(each);`,
  "what a plugin throws at the end of the process changes nothing of the exit code": `
    globalThis.addEventListener("unload", () => { throw new Error("at the end"); });
    process.on("exit", () => { throw new Error("and after it"); });`,
  "what a plugin sets at the end of the process is not its exit code": `
    globalThis.addEventListener("unload", () => { Deno.exitCode = 55; });
    globalThis.addEventListener("beforeunload", () => { Deno.exitCode = 56; });
    process.on("exit", () => { process.exitCode = 57; });`,
  "what a plugin has left running as the daemon ends does not end it otherwise": `
    setInterval(() => { throw new Error("late"); }, 1);
    setInterval(() => void Promise.reject(new Error("late")), 1);
    setInterval(() => Deno.exit(58), 1);
    globalThis.addEventListener("unload", () => Deno.exit(59));`,
  "a plugin that ends the process at each error that it hears of does not": `
    const crash = (event) => { console.error("fatal"); Deno.exit(1); };
    globalThis.addEventListener("error", crash);
    addEventListener("unhandledrejection", { handleEvent: crash });
    globalThis.onerror = () => { throw new Error("no error"); };
    void Promise.reject(new Error("late"));
    reportError(new Error("later"));`,
  "that a plugin lets nobody listen any more does not change how the process ends": `
    globalThis.addEventListener = () => { throw new Error("nobody is to listen"); };`,
};

for (const [name, spoiler] of Object.entries(SPOILERS)) {
  Deno.test({
    name,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using directory = await tempDirectory();
      const source =
        `import process from "node:process"; ${spoiler} export const answer = () => 1;`;
      await publish(directory.path, source);
      await using daemon = startDaemon([directory.path, "--no-config", "--no-state"]);
      await daemon.events.next(({ type }) => type === "ready", PATIENCE);
      daemon.kill("SIGTERM");
      const { code, stderr } = await daemon.ended();
      assertEquals(code, 0, stderr);
      assertEquals(daemon.events.of("loaded").length, 1);
    },
  });
}
