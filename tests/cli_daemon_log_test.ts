import { assert, assertEquals } from "@std/assert";
import { PATIENCE, spawnHotplug, within } from "./_cli.ts";
import { publish } from "./_daemon.ts";
import { jsonLines } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

const ignore = Deno.build.os === "windows";
const LOGS = `
  export const activate = ({ logger }) => {
    logger.debug("at {step}", { step: 1 });
    logger.info("opened with {n} rates", { n: 3n });
    logger.error("a {brace} in it", { brace: new Error("gone") });
  };
`;

interface Line {
  readonly level: string;
  readonly logger: string;
  readonly type: string;
  readonly message?: string;
}

/** Runs it until its output holds the text, does what is to be done, and ends it. */
async function outputOf(
  args: readonly string[],
  until: readonly (readonly [text: string, act: (child: Deno.ChildProcess) => unknown])[],
): Promise<string> {
  const child = spawnHotplug(["daemon", "--no-state", "--no-config", ...args]);
  const stderr = new Response(child.stderr).text();
  let text = "";
  const reading = (async () => {
    let at = 0;
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += piece;
      for (let step = until[at]; step && text.includes(step[0]); step = until[++at]) {
        await step[1](child);
      }
    }
  })();
  try {
    await within(PATIENCE, reading, () => `it did not end; it said "${text}"`);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  const { code } = await child.status;
  assertEquals([code, await stderr], [0, ""]);
  return text;
}

const stop = (child: Deno.ChildProcess): void => child.kill("SIGTERM");

Deno.test({
  name: "--log json writes events and what plugins log as one JSON object a line",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    await publish(directory.path, LOGS);
    const text = await outputOf([directory.path, "--log", "json"], [[`"ready"`, stop]]);
    const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line) as Line);
    const own = lines.filter(({ logger }) => logger === "hotplug.plugin.pricing");
    assertEquals(own.map(({ level, message }) => [level, message?.slice(0, 19)]), [
      ["info", "opened with 3n rate"],
      ["error", "a Error: gone\n    at".slice(0, 19)],
    ]);
    const events = lines.filter(({ logger }) => logger === "hotplug.daemon");
    assertEquals(events.map(({ level, type }) => `${type} ${level}`), [
      "watch info",
      "loaded info",
      "ready info",
      "stopped info",
    ]);
  },
});

Deno.test({
  name: "--log json gives an event that has a level of its own the weight of its line",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    await publish(directory.path, LOGS);
    const args = [directory.path, "--log", "json", "--memory-soft", "1"];
    const text = await outputOf(args, [[`"memory"`, () => {}], [`"ready"`, stop]]);
    const lines = jsonLines<Line & { readonly eventLevel?: string }>(text);
    const told = lines.filter(({ type }) => type === "memory");
    assertEquals(told.map(({ level, eventLevel }) => [level, eventLevel]), [["warning", "soft"]]);
  },
});

Deno.test({
  name: "what can't be written as JSON, or throws when it is looked at, does not cost its line",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    await publish(
      directory.path,
      `
      export const activate = ({ logger }) => {
        const own = {};
        own.own = own;
        const getter = { get rate() { throw new Error("no rate"); } };
        const json = { toJSON() { throw new Error("no JSON"); } };
        const inspect = { [Symbol.for("Deno.customInspect")]() { throw new Error("no look"); } };
        const keys = new Proxy({}, { ownKeys() { throw new Error("no keys"); } });
        for (const [name, value] of Object.entries({ own, getter, json, inspect, keys })) {
          logger.info("odd " + name + ": {value}", { value, plain: 1 });
        }
        const revoked = Proxy.revocable({}, {});
        revoked.revoke();
        logger.info("odd as a value", { value: revoked.proxy });
        logger.info("odd getter of its own", getter);
        logger.info("odd JSON of its own", json);
        logger.info("odd keys of its own", keys);
      };
      `,
    );
    const config = directory.file("hotplug.jsonc");
    const wholes = ["as a value", "getter of its own", "JSON of its own", "keys of its own"];
    for (const [tier, format] of [["inline", "json"], ["inline", "pretty"], ["worker", "json"]]) {
      await Deno.writeTextFile(config, JSON.stringify({ defaults: { tier } }));
      const run = [directory.path, "--config", config, "--log", format as string];
      const text = await outputOf(run, [["ready", stop]]);
      const names = [...text.matchAll(/odd (\w+):/g)].map(([, name]) => name);
      assertEquals([...new Set(names)], ["own", "getter", "json", "inspect", "keys"], text);
      assertEquals(wholes.filter((each) => !text.includes(`odd ${each}`)), [], text);
      if (format === "pretty" || tier === "worker") continue;
      const lines = jsonLines<Line & { readonly properties?: { readonly plain?: number } }>(text);
      const odd = lines.filter(({ message }) => message?.startsWith("odd "));
      assertEquals(odd.flatMap(({ properties }) => properties?.plain ?? []), [1, 1, 1, 1, 1]);
    }
  },
});

Deno.test({
  name: "what a plugin logs keeps its structure in each tier",
  ignore,
  async fn() {
    const shaped = { list: [1, { deep: [true, null, "x"] }], rate: 0.2 };
    for (const tier of ["inline", "worker", "process"]) {
      const large = `
        wide: Array.from({ length: 1_000_000 }, (_, id) => ({ id })),
        sparse: new Array(50_000_000),
        linked,
        keys: Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => ["key" + at, at])),
        long: "x".repeat(50_000_000),
        after: "it",`;
      const source = `export const activate = ({ logger }) => {
        const linked = Array.from({ length: 100 }, () => []);
        for (const each of linked) each.push(...linked);
        logger.info(Object.create(null));
        logger.info("linked {linked}", { linked, source: "logger" });
        logger.info("shaped", {
          shaped: ${JSON.stringify(shaped)},
          map: new Map([[1, 2]]),
          ${large}
        });
      };`;
      await using directory = await tempDirectory();
      const [plugins, config] = [directory.file("plugins"), directory.file("hotplug.jsonc")];
      await Deno.mkdir(plugins);
      await Deno.writeTextFile(config, JSON.stringify({ defaults: { tier } }));
      await publish(plugins, source);
      const text = await outputOf([plugins, "--config", config, "--log", "json"], [[
        `"ready"`,
        stop,
      ]]);
      const lines = jsonLines<Line & { readonly properties?: Record<string, unknown> }>(text);
      const [told] = lines.filter(({ message }) => message === "shaped");
      assertEquals(told?.properties?.shaped, shaped, tier);
      // No more than that of what is large, and all that is not.
      assert(JSON.stringify(told).length < (tier === "inline" ? 300_000 : 60_000), tier);
      assertEquals(told?.properties?.after, "it");
    }
  },
});

Deno.test({
  name: "--log-level leaves out what weighs less, and a plugin's lines are for people",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    await publish(directory.path, LOGS);
    const text = await outputOf(
      [directory.path, "--log-level", "error"],
      [["plugin.pricing: a", stop]],
    );
    assertEquals(text.match(/^\S+ {2}\w+/gm)?.map((each) => each.slice(15)), ["error"]);
    const debug = await outputOf(
      [directory.path, "--log-level", "debug"],
      [["ready", stop]],
    );
    assert(debug.includes("plugin.pricing: at 1"), debug);
  },
});

Deno.test({
  name: "the log level changes with the configuration, while it runs",
  ignore,
  async fn() {
    await using directory = await tempDirectory();
    const plugins = directory.file("plugins");
    const config = directory.file("hotplug.jsonc");
    await Deno.mkdir(plugins);
    const write = (level: string): Promise<void> =>
      Deno.writeTextFile(config, `{ "watch": ["plugins"], "logLevel": "${level}", "log": "json" }`);
    await write("info");
    const child = spawnHotplug(["daemon", "--no-state", "--config", config]);
    let text = "";
    let step = 0;
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += piece;
      if (step === 0 && text.includes(`"ready"`)) {
        step++;
        await write("debug");
        child.kill("SIGHUP");
      }
      if (step === 1 && text.includes(`"reloaded"`)) {
        step++;
        await publish(plugins, LOGS);
      }
      if (step === 2 && text.includes(`"at 1"`)) {
        step++;
        child.kill("SIGTERM");
      }
    }
    await child.stderr.cancel();
    assertEquals((await child.status).code, 0);
    assert(jsonLines<Line>(text).some(({ message }) => message === "at 1"));
  },
});
