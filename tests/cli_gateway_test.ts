import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { SCN } from "./_artifacts.ts";
import { hotplug, startDaemon } from "./_cli.ts";
import { publish } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

const SOURCE = `
  export default {
    async fetch(request) {
      if (request.url.endsWith("/slow")) await new Promise((resolve) => setTimeout(resolve, 300));
      return new Response("hello");
    },
  };`;

/** Where a daemon's gateway listens, by its log. */
async function urlOf(daemon: ReturnType<typeof startDaemon>): Promise<string> {
  const text = await daemon.printed("NAME/");
  return /Serves plugins at (\S+)NAME\//.exec(text)?.[1] ?? "";
}

Deno.test("hotplug daemon --gateway serves plugins, and ends what is under way", async () => {
  await using directory = await tempDirectory();
  const [plugins, state] = [directory.file("plugins"), directory.file("state")];
  await Deno.mkdir(plugins);
  await publish(plugins, SOURCE, { name: "web" });
  await using daemon = startDaemon([plugins, "--state", state, "--gateway", "0", "--no-config"]);
  const url = await urlOf(daemon);
  await daemon.events.next(({ type }) => type === "ready", 30_000);
  const response = await fetch(`${url}web/`);
  assertEquals(await response.text(), "hello");
  assertEquals(response.headers.get("x-hotplug-scn"), String(SCN));
  const slow = fetch(`${url}web/slow`);
  // Another request that was sent later is answered: the slow one is under way.
  await (await fetch(`${url}web/`)).text();
  daemon.kill("SIGTERM");
  assertEquals(await (await slow).text(), "hello");
  assertEquals((await daemon.ended()).code, 0);
});

Deno.test("hotplug ctl says that a daemon's gateway is not its control; why it answered 502 is logged", async () => {
  await using directory = await tempDirectory();
  const [plugins, state] = [directory.file("plugins"), directory.file("state")];
  await Deno.mkdir(plugins);
  const source = `
    export default {
      fetch({ url }) {
        const failing = new ReadableStream({ pull: () => Promise.reject(new Error("no disk")) });
        const response = new Response(url.endsWith("late") ? failing : "x");
        if (!url.endsWith("late")) response.body.getReader();
        return response;
      },
    };`;
  await publish(plugins, source, { name: "locked" });
  await using daemon = startDaemon([plugins, "--state", state, "--gateway", "0", "--no-config"]);
  const url = await urlOf(daemon);
  await daemon.events.next(({ type }) => type === "ready", 30_000);
  const { code, stderr } = await hotplug("ctl", "status", "--control", url);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "is no daemon's control");
  const response = await fetch(`${url}locked/`);
  await response.body?.cancel();
  assertEquals(response.status, 502);
  await daemon.printed('Plugin "locked" failed at a request: TypeError: its `fetch` answered with');
  await fetch(`${url}locked/late`).then((late) => late.text()).catch(() => {}); // broken off
  await daemon.printed(`The answer of plugin "locked" can't be sent: Error: no disk`);
  daemon.kill("SIGTERM");
  await daemon.ended();
});

/** How many failures are told of by lines that hold the text, and the last reason. */
function toldOf(log: string, text: string): [count: number, reason: string | undefined] {
  const lines = log.split("\n").filter((line) => line.includes(text));
  const counts = lines.map((line) =>
    Number(/\((\d+) more, the last of them\)/.exec(line)?.[1] ?? 1)
  );
  return [counts.reduce((sum, each) => sum + each, 0), lines.at(-1)?.split(": Error: ").at(-1)];
}

/** Fails by the last part of the path, before its answer or in the body of it. */
const FAILING = `
  export default {
    fetch({ url }) {
      const [kind, why] = new URL(url).pathname.split("/").slice(-2);
      const error = new Error("reason " + why);
      if (kind === "early") throw error;
      return new Response(new ReadableStream({ pull: () => Promise.reject(error) }));
    },
  };`;

Deno.test("of failures that follow each other all are counted in the log, and the last reason is told, though no more fail", async () => {
  await using directory = await tempDirectory();
  for (const name of ["one", "other"]) await publish(directory.path, FAILING, { name });
  const args = ["--no-state", "--gateway", "0", "--no-config"];
  await using daemon = startDaemon([directory.path, ...args]);
  const url = await urlOf(daemon);
  await daemon.events.next(({ type }) => type === "ready", 30_000);
  const ask = async (path: string): Promise<void> => {
    await fetch(`${url}${path}`).then((answer) => answer.text()).catch(() => {}); // broken off
  };
  await ask("one/early/one-1");
  await ask("other/early/other-1");
  for (const path of ["one/early/one-2", "one/early/one-3", "other/early/other-2"]) await ask(path);
  await daemon.printed("reason one-3");
  const log = await daemon.printed("reason other-2");
  assertEquals(toldOf(log, 'Plugin "one" failed'), [3, "reason one-3"]);
  assertEquals(toldOf(log, 'Plugin "other" failed'), [2, "reason other-2"]);

  for (const path of ["one/late/a", "other/late/b", "one/late/c"]) await ask(path);
  const late = await daemon.printed("reason c");
  assertEquals(toldOf(late, `plugin "one" can't be sent`), [2, "reason c"]);
  assertEquals(toldOf(late, `plugin "other" can't be sent`), [1, "reason b"]);
  daemon.kill("SIGTERM");
  await daemon.ended();
});

Deno.test("what was held back of failures is told at the end of the daemon", async () => {
  await using directory = await tempDirectory();
  await publish(directory.path, FAILING, { name: "one" });
  const args = ["--no-state", "--gateway", "0", "--no-config"];
  await using daemon = startDaemon([directory.path, ...args]);
  const url = await urlOf(daemon);
  await daemon.events.next(({ type }) => type === "ready", 30_000);
  for (const why of ["a", "b", "c"]) await (await fetch(`${url}one/early/${why}`)).text();
  daemon.kill("SIGTERM");
  const { code, stderr } = await daemon.ended();
  assertEquals([code, toldOf(stderr, 'Plugin "one" failed')], [0, [3, "reason c"]]);
});

Deno.test("an answer that a swap breaks off at the drain deadline is logged, as no error", async () => {
  await using directory = await tempDirectory();
  const plugins = directory.file("plugins");
  await Deno.mkdir(plugins);
  const source = `
    export default {
      fetch: () => new Response(new ReadableStream({ start: (own) => own.enqueue(new Uint8Array(9)) })),
    };`;
  await publish(plugins, source, { name: "web" });
  const config = directory.file("hotplug.jsonc");
  await Deno.writeTextFile(config, `{ "defaults": { "tier": "worker", "drainDeadline": 50 } }`);
  const place = ["--no-state", "--config", config, "--gateway", "0"];
  await using daemon = startDaemon([plugins, ...place]);
  const url = await urlOf(daemon);
  await daemon.events.next(({ type }) => type === "ready", 30_000);
  const answer = await fetch(`${url}web/`);
  await publish(plugins, SOURCE, { name: "web", scn: SCN + 1 });
  await answer.text().catch(() => {}); // broken off, or that is never over
  assertMatch(await daemon.printed("An answer was broken off"), /info +gateway: An answer/);
  daemon.kill("SIGTERM");
  await daemon.ended();
});

Deno.test("hotplug daemon --gateway refuses what is no address, and a port that is taken", async () => {
  await using directory = await tempDirectory();
  const args = [directory.path, "--no-state", "--no-config", "--gateway"];
  const misuse = await hotplug("daemon", ...args, "x:y:z");
  assertEquals(misuse.code, 2);
  assertStringIncludes(misuse.stderr, "[HOST:]PORT");
  const beyond = await hotplug("daemon", ...args, "70000");
  assertEquals(beyond.code, 2);
  assertStringIncludes(beyond.stderr, "at most 65535");
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { code, stderr } = await hotplug("daemon", ...args, String(taken.addr.port));
  assertEquals(code, 1);
  assertStringIncludes(stderr, `Cannot listen on 127.0.0.1:${taken.addr.port}`);
});

Deno.test("hotplug.jsonc says where plugins are served", async () => {
  await using directory = await tempDirectory();
  const config = directory.file("hotplug.jsonc");
  await Deno.mkdir(directory.file("plugins"));
  const text = JSON.stringify({ watch: ["plugins"], state: false, gateway: "127.0.0.1:0" });
  await Deno.writeTextFile(config, text);
  await using daemon = startDaemon(["--config", config]);
  const response = await fetch(`${await urlOf(daemon)}nope/`);
  assert(response.status === 503 || response.status === 404);
  await response.body?.cancel();
  await Deno.writeTextFile(config, JSON.stringify({ watch: ["plugins"], gateway: "1:70000" }));
  const { code, stderr } = await hotplug("daemon", "--config", config);
  assertEquals(code, 1);
  assertStringIncludes(stderr, `"gateway"`);
});
