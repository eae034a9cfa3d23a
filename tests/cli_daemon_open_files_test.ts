import { assert, assertEquals } from "@std/assert";
import { HOTPLUG, PATIENCE, within } from "./_cli.ts";
import { publish } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

Deno.test({
  name: "a daemon whose open files are used up by connections serves on once they are gone",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    const plugins = directory.file("plugins");
    await Deno.mkdir(plugins);
    await publish(plugins, "export default { fetch: () => new Response('served') };", {
      name: "web",
    });
    const control = ["--control", "127.0.0.1:0", "--state", directory.file("state")];
    const daemonArgs = ["daemon", plugins, "--gateway", "127.0.0.1:0", ...control, "--log", "json"];
    await using daemon = new Deno.Command("sh", {
      args: ["-c", 'ulimit -n 80; exec "$@"', "sh", ...HOTPLUG, ...daemonArgs],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    let log = "";
    let runs = true;
    const status = daemon.status.finally(() => runs = false);
    const pause = async (): Promise<void> => {
      assert(runs, `it ended: ${log}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const reading = (async () => {
      for await (const text of daemon.stdout.pipeThrough(new TextDecoderStream())) {
        log += text;
        if (log.includes('"ready"')) resolve();
      }
    })();
    await within(PATIENCE, ready, () => `it did not begin: ${log}`);
    const urls = [...log.matchAll(/"url":"([^"]+)"/g)].map(([, url = ""]) => new URL(url));
    assertEquals(urls.length, 2, log);
    const doors = ["gateway", "control"].map((logger, index) => ({
      url: urls[index] as URL,
      ended: new RegExp(`"hotplug.${logger}".*listens again`),
      path: ["web/", "livez"][index] as string,
      answer: ["served", "ok"][index],
    }));
    for (const { url, ended } of doors) {
      const connections: Deno.Conn[] = [];
      while (!ended.test(log)) {
        // Refused while it does not listen.
        const connection = await Deno.connect({ port: Number(url.port) }).catch(() => undefined);
        if (connection) connections.push(connection);
        else await pause();
      }
      for (const each of connections) each.close();
    }
    for (const { url, path, answer } of doors) {
      let text: string | undefined;
      while (text === undefined) {
        text = await fetch(new URL(path, url)).then((each) => each.text(), () => undefined);
        if (text === undefined) await pause();
      }
      assertEquals(text.trim(), answer);
    }
    daemon.kill("SIGTERM");
    const { code } = await within(PATIENCE, status, () => `it did not end: ${log}`);
    await reading;
    assertEquals(code, 0);
  },
});
