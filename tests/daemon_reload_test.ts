import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { HotplugError } from "../artifact/mod.ts";
import type { ReloadedOptions } from "../daemon/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { makeDaemon, publish } from "./_daemon.ts";
import { testKeys } from "./_signed.ts";
import { tempDirectory } from "./_temp.ts";

Deno.test("of two reloads the one that was asked for last is in force, though it was read first", async () => {
  await using directory = await tempDirectory();
  const watch = [directory.path];
  const reads: PromiseWithResolvers<ReloadedOptions>[] = [];
  await using fixture = makeDaemon(watch, {
    reload: () => {
      const read = Promise.withResolvers<ReloadedOptions>();
      reads.push(read);
      return read.promise;
    },
  });
  const { daemon, events } = fixture;
  await daemon.start();
  const [older, newer] = [daemon.reload(), daemon.reload()];
  const [first, second] = reads;
  assert(first && second);
  second.resolve({ watch, logLevel: "error", memorySoft: 2 ** 40, poll: 500 });
  assert((await newer).includes("poll"));
  first.resolve({ watch, logLevel: "debug", memorySoft: 2 ** 41 });
  assertEquals(await older, []);
  assertEquals([daemon.logLevel, daemon.status().memory.softLimit], ["error", 2 ** 40]);
  assertEquals(events.of("config").length, 1);
});

Deno.test("a reload that can't be read does not keep an older one out that can", async () => {
  await using directory = await tempDirectory();
  const watch = [directory.path];
  const slow = Promise.withResolvers<ReloadedOptions>();
  let count = 0;
  await using fixture = makeDaemon(watch, {
    reload: () => ++count === 1 ? slow.promise : Promise.reject(new HotplugError("config", "no")),
  });
  const { daemon, events } = fixture;
  await daemon.start();
  const [older, newer] = [daemon.reload(), daemon.reload()];
  await assertRejects(() => newer, HotplugError);
  slow.resolve({ watch, logLevel: "debug" });
  await older;
  assertEquals(daemon.logLevel, "debug");
  assertEquals(events.of("config").map(({ state }) => state), ["rejected", "reloaded"]);
});

Deno.test("a log level that was set by hand stays through reloads until the configured one is another", async () => {
  await using directory = await tempDirectory();
  const watch = [directory.path];
  const levels = ["info", "warning", "warning", "info"] as const;
  let count = 0;
  await using fixture = makeDaemon(watch, {
    // deno-lint-ignore require-await -- it is asked for a promise
    reload: async () => ({ watch, logLevel: levels[count++] ?? "info" }),
  });
  const { daemon } = fixture;
  await daemon.start();
  const after = async (): Promise<string> => {
    await daemon.reload();
    return daemon.logLevel;
  };
  daemon.setLogLevel("debug");
  assertEquals(await after(), "debug");
  assertEquals(await after(), "warning");
  daemon.setLogLevel("trace");
  assertEquals(await after(), "trace");
  assertEquals(await after(), "info");
});

Deno.test("a reload looks at the folders, though its options can't be read", async () => {
  await using directory = await tempDirectory();
  const reload = (): Promise<never> => Promise.reject(new HotplugError("config", "no"));
  await using fixture = makeDaemon([directory.path], { reload });
  const { daemon } = fixture;
  await daemon.start();
  const { count } = daemon.status().scans;
  await assertRejects(() => daemon.reload(), HotplugError, "no");
  assertEquals(daemon.status().scans.count, count + 1);
});

Deno.test("a reload names the plugins that run by other settings, until they are loaded again", async () => {
  await using directory = await tempDirectory();
  const watch = [directory.path];
  const plugins = { pricing: { config: { vat: 0.1 }, contracts: ["tax"] }, other: {} };
  let next: Partial<ReloadedOptions> = { plugins };
  const reload = (): Promise<ReloadedOptions> => Promise.resolve({ watch, ...next });
  await using fixture = makeDaemon(watch, { plugins, reload });
  const { daemon, events } = fixture;
  const source = `let own; export const activate = ({ config }) => { own = config; };
    export const vat = () => own.vat;`;
  await publish(directory.path, source);
  await publish(directory.path, "export const one = 1;", { name: "other" });
  await daemon.start();

  await daemon.reload();
  const changed = { config: { vat: 0.2 }, contracts: ["tax", "law"] };
  next = { plugins: { ...plugins, pricing: changed } };
  await daemon.reload();
  assertEquals(await daemon.manager.current("pricing")?.call("vat"), 0.1);
  await publish(directory.path, source, { scn: SCN + 1 });
  await fixture.loaded("pricing", SCN + 1);
  assertEquals(await daemon.manager.current("pricing")?.call("vat"), 0.2);
  await daemon.reload();
  // What a plugin may require is asked at its load only.
  next = { plugins: { ...plugins, pricing: { ...changed, contracts: [] } } };
  await daemon.reload();

  const told = events.of("config");
  assertEquals(told.map((event) => event.plugins), [[], ["pricing"], [], []]);
  assertStringIncludes(told[1]?.message ?? "", "until their next version, or a restart: pricing");
});

Deno.test("a reload names the plugins that run, and that none of the keys of now has signed", async () => {
  await using directory = await tempDirectory();
  const watch = [directory.path];
  const [first, second] = [await testKeys(), await testKeys()];
  let trust = [first.publicKey];
  const reload = (): Promise<ReloadedOptions> => Promise.resolve({ watch, trust });
  await writeArtifact(directory.path, "export const one = 1;", { sign: first.signer });
  await using fixture = makeDaemon(watch, { trust, reload });
  const { daemon, events } = fixture;
  await daemon.start();
  for (trust of [[first.publicKey], [first.publicKey, second.publicKey], [second.publicKey]]) {
    await daemon.reload();
  }
  assertEquals(events.of("config").map(({ plugins }) => plugins), [[], [], ["pricing"]]);
  await writeArtifact(directory.path, "export const one = 1;", {
    scn: SCN + 1,
    sign: second.signer,
  });
  await fixture.loaded("pricing", SCN + 1);
  await daemon.reload();
  assertEquals(events.of("config").at(-1)?.plugins, []);
});

Deno.test("a version that can't hand over is superseded once the settings ask it for nothing", async () => {
  await using directory = await tempDirectory();
  const watch = [directory.path];
  const plugins = { pricing: { handover: false } };
  await using fixture = makeDaemon(watch, { reload: () => Promise.resolve({ watch, plugins }) });
  const { daemon } = fixture;
  const source = "export const handover = () => () => {};";
  await publish(directory.path, source, { scn: SCN });
  await daemon.start();
  await publish(directory.path, source, { scn: SCN + 1 });
  await fixture.failed("handover", SCN + 1);
  await daemon.reload();
  await fixture.loaded("pricing", SCN + 1);
});
