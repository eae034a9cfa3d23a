import { assert, assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import { tmpdir } from "node:os";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { counted, type DaemonFixture, makeDaemon, makeHang, publish, within } from "./_daemon.ts";
import { fileNameOf, strewRubbish } from "./_rubbish.ts";
import { jsonLines, startScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

const OPTIONS = { loadDeadline: 400, retryMin: 1_500, bareSettle: 20 };
const SWAPS = 9;

Deno.test("Rubbish of every kind neither stops nor slows a daemon", async (t) => {
  await using clean = await tempDirectory();
  await using dirty = await tempDirectory();
  await using hang = makeHang();
  using rubbish = await strewRubbish(dirty.path, hang.source);
  let cleanMs = 0;
  {
    await using fixture = makeDaemon([clean.path], OPTIONS);
    await fixture.daemon.start();
    cleanMs = await medianSwap(fixture, clean.path);
  }
  const rss = Deno.memoryUsage().rss;
  await using fixture = makeDaemon([dirty.path], OPTIONS);
  await within(10_000, "the start", fixture.daemon.start());
  await publish(dirty.path, counted("amid rubbish", "good"), { name: "good" });
  await fixture.loaded("good");
  await using watch = watchCalls(fixture);

  await t.step(
    "a good plugin loads in about the time that it takes in a clean folder",
    async () => {
      const dirtyMs = await medianSwap(fixture, dirty.path);
      const limit = 5 * Math.max(cleanMs, 40);
      assert(dirtyMs < limit, `${dirtyMs} ms amid rubbish, ${cleanMs} ms without`);
    },
  );

  await t.step("each piece is told of once, under the code that says what it is", async () => {
    await fixture.failed("deadline");
    for (let scan = 0; scan < 5; scan++) await fixture.daemon.scan();
    const told = fixture.events.of("failed")
      .filter(({ code }) => code !== "uncaught" && code !== "exit" && code !== "name")
      .map(({ name, code }) => `${name} ${code}`);
    const expected = [...rubbish.failing].map(([name, code]) => `${name} ${code}`);
    assertEquals(told.sort(), expected.sort());
    const misnamed = fixture.events.of("failed").filter(({ code }) => code === "name");
    const paths = misnamed.map(({ path = "" }) => path);
    assertEquals(new Set(paths).size, paths.length);
    assert(paths.some((path) => path.includes("garbled")), paths.join());
  });

  await t.step("what plugins do later is told, and ends nothing", async () => {
    for (
      const [name, code] of [
        ["latethrow", "uncaught"],
        ["latetext", "uncaught"],
        ["rejects", "uncaught"],
        ["exits", "exit"],
        ["lateexit", "exit"],
      ]
    ) {
      const event = await fixture.events.next((each) =>
        each.type === "failed" && each.name === name && each.code === code
      );
      assert(event, name);
    }
  });

  await t.step("calls are answered throughout, and the event loop is not held up", () => {
    assert(watch.calls > 10, `${watch.calls} calls`);
    assertEquals(watch.wrong, 0);
    assert(watch.longestMs < 1_500, `the event loop stood still for ${watch.longestMs} ms`);
  });

  await t.step("the large file is not read", () => {
    const grown = (Deno.memoryUsage().rss - rss) / 2 ** 20;
    assert(grown < 150, `memory grew by ${grown} MiB`);
  });
});

/** As root the test becomes another user, who may not get to a folder below a private one. */
function isReachable(folder: string): boolean {
  if (Deno.uid() !== 0) return true;
  const open = ((Deno.statSync(folder).mode ?? 0) & 0o001) !== 0;
  return open && (dirname(folder) === folder || isReachable(dirname(folder)));
}

Deno.test("What this user can't read is told of once, and loads when it can be read", {
  ignore: Deno.build.os === "windows" || !isReachable(tmpdir()),
}, async () => {
  await using directory = await tempDirectory();
  const [plugins, closed, temporary] = ["plugins", "closed", "temporary"].map((each) =>
    directory.file(each)
  );
  for (const path of [plugins, closed, temporary]) await Deno.mkdir(path ?? "");
  await Deno.chmod(directory.path, 0o755);
  await Deno.chmod(temporary ?? "", 0o777);
  const secret = await writeArtifact(plugins ?? "", counted("secret", 1), { name: "secret" });
  await writeArtifact(closed ?? "", counted("closed folder", 1), { name: "inside" });
  await Deno.chmod(secret.path, 0o000);
  await Deno.chmod(closed ?? "", 0o000);

  // As root nothing is unreadable, so the child gives its rights away once all its code is loaded.
  const child = await startScript(
    directory.path,
    `import process from "node:process";
     import { PluginDaemon } from "project:daemon/mod.ts";
     process.env.TMPDIR = ${JSON.stringify(temporary)};
     const daemon = new PluginDaemon({
       watch: ${JSON.stringify([plugins, closed])},
       retryMin: 25, retryMax: 100, rootCheck: 25,
     });
     daemon.subscribe((event) => console.log(JSON.stringify(event)));
     if (process.geteuid() === 0) process.seteuid(65534);
     await daemon.start();
     for await (const _ of Deno.stdin.readable);
     await daemon.close();`,
  );
  const [mine, copy] = child.stdout.tee();
  const output = new Response(copy).text();
  const stderr = new Response(child.stderr).text();
  const lines = mine.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const told = async (...parts: string[]): Promise<void> => {
    while (!jsonLines(text).some((each) => parts.every((p) => JSON.stringify(each).includes(p)))) {
      const { done, value } = await within(15_000, parts.join(), lines.read());
      assert(!done, `the child ended: ${text}`);
      text += value;
    }
  };
  await told(`"type":"ready"`);
  await told(`"type":"failed"`, `"code":"io"`, `"name":"secret"`);
  await told(`"type":"watch"`, `"state":"error"`, closed ?? "");
  await writeArtifact(plugins ?? "", counted("readable", 1), { name: "readable" });
  await told(`"type":"loaded"`, `"name":"readable"`);
  await Deno.chmod(secret.path, 0o644);
  await told(`"type":"loaded"`, `"name":"secret"`);
  await told(`"type":"retried"`, `"outcome":"loaded"`);
  await Deno.chmod(closed ?? "", 0o755);
  await told(`"type":"loaded"`, `"name":"inside"`);
  await told(`"type":"watch"`, `"state":"watching"`, closed ?? "");
  await lines.cancel();
  await child.stdin.close();
  await within(15_000, "the child's end", child.status);
  const events = jsonLines<{ type: string }>(await output);
  assertEquals(events.filter(({ type }) => type === "failed").length, 1, await stderr);
  assertEquals(events.at(-1)?.type, "stopped");
});

Deno.test("Rubbish that is replaced by a good artifact is forgotten", async () => {
  await using directory = await tempDirectory();
  await using hang = makeHang();
  using _rubbish = await strewRubbish(directory.path, hang.source);
  await using fixture = makeDaemon([directory.path], OPTIONS);
  await fixture.daemon.start();
  for (const name of ["directory", "large", "syntax"]) {
    await Deno.remove(join(directory.path, fileNameOf(name)), { recursive: true });
    await publish(directory.path, counted(`was ${name}`, name), { name });
    await fixture.loaded(name);
  }
});

/** From the last step of a publish to `loaded`, in milliseconds. */
async function medianSwap(fixture: DaemonFixture, directory: string): Promise<number> {
  const times: number[] = [];
  for (let swap = 0; swap < SWAPS; swap++) {
    const init = { name: "swapped", scn: SCN + swap };
    await publish(directory, counted("swapped", swap), init);
    const published = performance.now();
    await fixture.loaded("swapped", init.scn);
    times.push(performance.now() - published);
  }
  return times.sort((a, b) => a - b)[Math.floor(SWAPS / 2)] ?? Infinity;
}

interface CallWatch extends AsyncDisposable {
  readonly calls: number;
  readonly wrong: number;
  readonly longestMs: number;
}

/** Calls the plugin `good` in every turn of the event loop. */
function watchCalls({ daemon }: DaemonFixture): CallWatch {
  let [calls, wrong, longestMs, stop] = [0, 0, 0, false];
  const calling = (async () => {
    let last = performance.now();
    while (!stop) {
      using lease = daemon.manager.acquire("good");
      if (await lease.call("answer") !== "good") wrong++;
      calls++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }
  })();
  return {
    get calls() {
      return calls;
    },
    get wrong() {
      return wrong;
    },
    get longestMs() {
      return longestMs;
    },
    [Symbol.asyncDispose]: async () => {
      stop = true;
      await calling;
    },
  };
}
