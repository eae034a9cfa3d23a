import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, toFileUrl } from "@std/path";
import { HotplugError } from "../artifact/mod.ts";
import { HOST_TEXT } from "../plugin/mod.ts";
import { WorkerRunner } from "../manager/tiers/worker_runner.ts";
import { startThread } from "../manager/tiers/worker_thread.ts";
import { assertCode } from "./_errors.ts";
import { type TempDirectory, tempDirectory } from "./_temp.ts";
import { tierFixture } from "./_tiers.ts";

const ROOT = new URL("../", import.meta.url);

Deno.test("a plugin that asks for less than its host has is refused in a worker", async () => {
  await using fixture = await tierFixture({ tier: "worker" });
  const error = await assertCode(
    fixture.open("export const one = 1;", { permissions: { net: ["example.com"] } }),
    "unsupported",
  );
  assertStringIncludes(error.message, "workerPermissions");
});

Deno.test("workers with permissions of their own are refused without the flag, and nothing ends", async () => {
  await using fixture = await tierFixture({ tier: "worker", workerPermissions: true });
  const error = await assertCode(fixture.open("export const one = 1;"), "unsupported");
  assertStringIncludes(error.message, "--unstable-worker-options");
});

Deno.test("with the flag a worker gets what it asks for and is allowed", async () => {
  await using directory = await tempDirectory();
  await Deno.writeTextFile(
    directory.file("host.ts"),
    `import { PluginManager } from ${JSON.stringify(new URL("manager/mod.ts", ROOT).href)};
    import { writeArtifact } from ${JSON.stringify(new URL("tests/_artifacts.ts", ROOT).href)};
    const { path } = await writeArtifact(${JSON.stringify(directory.path)},
      "export const read = (path) => Deno.readTextFileSync(path).length;",
      { permissions: { read: ["/etc/hostname", "/etc/passwd"] } });
    await using manager = new PluginManager({
      tier: "worker", workerPermissions: true, permissions: { read: ["/etc/hostname"] },
    });
    const plugin = await manager.open(path);
    console.log(await plugin.call("read", "/etc/hostname") > 0);
    console.log(await plugin.call("read", "/etc/passwd").catch((error) => error.name));`,
  );
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--unstable-worker-options",
      `--config=${fromFileUrl(new URL("deno.json", ROOT))}`,
      directory.file("host.ts"),
    ],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  const printed = new TextDecoder().decode(stdout);
  assertEquals(printed, "true\nNotCapable\n", new TextDecoder().decode(stderr));
});

/** Runs a module in a worker that counts as lost after so long; `lost` counts that. */
async function runWatched(
  { file }: TempDirectory,
  source: string,
  lostAfter: number,
): Promise<{ readonly runner: WorkerRunner; readonly lost: () => number }> {
  await Deno.writeTextFile(file("host.mjs"), HOST_TEXT);
  await Deno.writeTextFile(file("module.mjs"), source);
  let lost = 0;
  const runner = new WorkerRunner({
    label: 'plugin "watched"',
    start: (onEnd) => startThread(toFileUrl(file("host.mjs")).href, 64, onEnd),
    heartbeat: { interval: 20, lostAfter },
    lost: () => lost++,
  }, { log: () => {}, late: () => {}, flooded: () => {} });
  await runner.connection.call("load", { url: toFileUrl(file("module.mjs")).href });
  return { runner, lost: () => lost };
}

Deno.test("a worker that is busy while nobody calls it is missed by its heartbeat", async () => {
  await using directory = await tempDirectory();
  // Long enough for a machine that has much else to do.
  const { runner, lost } = await runWatched(
    directory,
    "setTimeout(() => { const end = Date.now() + 10_000; while (Date.now() < end); }, 50);",
    1_500,
  );
  const reason = await runner.ended;
  assertEquals([reason.code, lost()], ["crashed", 1]);
  assertStringIncludes(reason.message, "did not answer for 1500 ms");
  await assertCode(runner.connection.call("ping"), "crashed");
});

Deno.test("a worker that works off what it was asked is not missed, nor one that its host had no time for", async () => {
  await using directory = await tempDirectory();
  const { runner, lost } = await runWatched(
    directory,
    `export function work(milliseconds) {
       const end = performance.now() + milliseconds;
       while (performance.now() < end);
     }`,
    1_000,
  );
  const { connection } = runner;
  // A beat comes after all of these.
  await Promise.all(Array.from({ length: 50 }, () => connection.call("call", "work", [50])));
  for (const end = performance.now() + 1_500; performance.now() < end;);
  await connection.call("ping");
  runner.kill(new HotplugError("closed", "The test is over"));
  assertEquals([(await runner.ended).code, lost()], ["closed", 0]);
});

for (const tier of ["worker", "process"] as const) {
  Deno.test(`an answer that came while the host was busy itself is in time, ${tier}`, async () => {
    await using fixture = await tierFixture({ tier, callDeadline: 300 });
    const plugin = await fixture.open("export const one = () => 1;");
    const call = plugin.call("one");
    for (const end = performance.now() + 600; performance.now() < end;);
    assertEquals(await call, 1);
  });

  Deno.test(`after a crash a plugin is activated as before, without its state, ${tier}`, async () => {
    await using fixture = await tierFixture({
      tier,
      plugins: { pricing: { config: { vat: 0.2 } } },
    });
    const source = `
      let seen;
      let count = 0;
      export function activate({ config, state, reason }) { seen = { config, state, reason }; }
      export const handover = () => ({ count: 5 });
      export const context = () => seen;
      export const exit = () => Deno.exit(1);`;
    await fixture.open(source);
    const plugin = await fixture.open(source);
    const config = { vat: 0.2 };
    assertEquals(await plugin.call("context"), { config, state: { count: 5 }, reason: "load" });
    await assertCode(plugin.call("exit"), "crashed");
    await assertCode(plugin.call("context"), "crashed");
    await fixture.events.next(({ type }) => type === "restarted");
    assertEquals(await plugin.call("context"), { config, state: undefined, reason: "load" });
  });
}
