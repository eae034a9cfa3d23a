import { join } from "@std/path";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { HOTPLUG, PATIENCE, spawnHotplug, within } from "./_cli.ts";
import { hasScript } from "./_program.ts";
import { tempDirectory } from "./_temp.ts";

/** Reads on until the text has come, or to the end without one; answers with all that came. */
async function read(
  reader: ReadableStreamDefaultReader<string>,
  awaited?: string,
): Promise<string> {
  let all = "";
  while (awaited === undefined || !all.includes(awaited)) {
    const { value, done } = await reader.read();
    if (done) break;
    all += value;
  }
  return all;
}

function readerOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
  return stream.pipeThrough(new TextDecoderStream()).getReader();
}

Deno.test({
  name: "hotplug daemon ends in order once the terminal that it prints to is closed",
  ignore: !hasScript(),
  async fn() {
    await using directory = await tempDirectory();
    const state = directory.file("state");
    const plugins = directory.file("plugins");
    await Deno.mkdir(plugins);
    const command = [...HOTPLUG, "daemon", "--no-config", "--state", state, plugins].join(" ");
    await using terminal = new Deno.Command("script", {
      args: ["-qec", command, directory.file("typescript")],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const shown = readerOf(terminal.stdout);
    assertStringIncludes(
      await within(PATIENCE, read(shown, "ready"), () => "it was not ready"),
      "ready",
    );
    const { pid } = JSON.parse(await Deno.readTextFile(join(state, "control.json")));
    try {
      await using ctl = spawnHotplug(["ctl", "events", "--state", state, "--last", "1"]);
      const told = readerOf(ctl.stdout);
      const errors = new Response(ctl.stderr).text();
      await within(PATIENCE, read(told, "ready"), () => "no event was told");
      terminal.kill("SIGKILL");
      const rest = await within(PATIENCE, read(told), () => "it did not end");
      assertStringIncludes(rest, "stopped");
      assertEquals([(await ctl.status).code, await errors], [0, ""]);
    } finally {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch { /* it has ended, as it should */ }
      await read(shown);
    }
  },
});
