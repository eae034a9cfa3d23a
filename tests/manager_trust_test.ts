import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname } from "@std/path";
import {
  formatInfo,
  HotplugError,
  infoFileName,
  type KeySource,
  scnFromDate,
  signInfo,
  SOURCE_MAP_LINK,
} from "../artifact/mod.ts";
import { type ManagerOptions, PluginManager } from "../manager/mod.ts";
import { type ArtifactInit, gzip, SCN, writeArtifact, type WrittenArtifact } from "./_artifacts.ts";
import { assertCode, assertThrowsCode } from "./_errors.ts";
import { collectEvents } from "./_events.ts";
import { testKeys } from "./_signed.ts";
import { type TempDirectory, tempDirectory } from "./_temp.ts";
import { makeRandom } from "./random.ts";

const KEYS = await testKeys();
const FOREIGN = await testKeys("foreign");
const TRUST = { trust: KEYS.publicKey } satisfies ManagerOptions;

/** Code that would be noticed: nothing of it may ever run. */
const EVIL = "globalThis.hotplugTestRan = import.meta.url; export const quote = () => 'evil';";
const GOOD = "export const quote = () => 'good';";

interface Marked {
  hotplugTestRan?: string;
}

function assertNothingRan(): void {
  assertEquals((globalThis as Marked).hotplugTestRan, undefined);
}

async function signed(
  directory: TempDirectory,
  init: ArtifactInit = {},
  source = GOOD,
): Promise<WrittenArtifact> {
  return await writeArtifact(directory.path, source, { sign: KEYS.signer, ...init });
}

Deno.test("a manager with trust keys opens what one of them has signed", async () => {
  await using directory = await tempDirectory();
  const { path, infoPath } = await signed(directory);
  const packed = await signed(directory, { name: "packed", gzip: true, sourceMap: "{}" });
  await using manager = new PluginManager({ trust: [FOREIGN.publicKey, KEYS.publicKey] });
  const generation = await manager.open(path);
  assertEquals(await generation.call("quote"), "good");
  assertEquals((await manager.openInfo(packed.infoPath)).info, packed.info);
  await using newest = new PluginManager(TRUST);
  assertEquals((await newest.openNewest(directory.path, "pricing")).scn, SCN);
  assertEquals(await Deno.readTextFile(infoPath), formatInfo(generation.info ?? packed.info));
});

Deno.test("what is bare, not signed, or signed by a stranger is refused for good", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager(TRUST);
  using events = collectEvents(manager);
  const inits: Readonly<Record<string, ArtifactInit>> = {
    bare: { info: false },
    unsigned: {},
    stranger: { sign: FOREIGN.signer },
    packed: { sign: FOREIGN.signer, gzip: true },
  };
  for (const [name, init] of Object.entries(inits)) {
    const { path } = await writeArtifact(directory.path, EVIL, { ...init, name });
    const error = await assertCode(manager.open(path), "signature");
    assertStringIncludes(error.message, name);
    assertEquals(manager.current(name), undefined);
  }
  for (const event of events.all) {
    assertEquals(event.type === "failed" && [event.code, event.final], ["signature", true]);
  }
  assertEquals(events.all.length, 4);
  assertNothingRan();
});

Deno.test("a bare module whose signed info file comes later is opened then", async () => {
  await using directory = await tempDirectory();
  const { path, infoPath, info } = await writeArtifact(directory.path, GOOD, { info: false });
  await using manager = new PluginManager(TRUST);
  await assertCode(manager.open(path), "signature");
  await Deno.writeTextFile(infoPath, formatInfo(await signInfo(info, KEYS.signer)));
  assertEquals((await manager.open(path)).scn, SCN);
});

Deno.test("500 flips of one bit in a signed info file and its artifact are refused", async () => {
  await using directory = await tempDirectory();
  const random = makeRandom();
  for (const packed of [false, true]) {
    const written = await signed(directory, { gzip: packed, name: packed ? "packed" : "plain" });
    await using manager = new PluginManager(TRUST);
    for (const path of [written.infoPath, written.path]) {
      const bytes = await Deno.readFile(path);
      const positions = Array.from({ length: 125 }, () => random.below(bytes.length));
      // Not only the many in the base64 of the payload: the first of all that is said, too.
      for (const at of [0, ...positions]) {
        const bit = 1 << random.below(8);
        const flipped = Uint8Array.from(bytes);
        flipped[at] = (bytes[at] ?? 0) ^ bit;
        await Deno.writeFile(path, flipped);
        await assertRefused(manager, written.path, `byte ${at} bit ${bit}, seed ${random.seed}`);
      }
      await Deno.writeFile(path, bytes);
    }
    assertEquals(await (await manager.open(written.path)).call("quote"), "good");
  }
});

async function assertRefused(manager: PluginManager, path: string, what: string): Promise<void> {
  try {
    await manager.open(path);
  } catch (error) {
    const code = error instanceof HotplugError ? error.code : String(error);
    assert(["signature", "integrity", "info"].includes(code), `${what}: ${error}`);
    return;
  }
  throw new Error(`opened with a change: ${what}`);
}

Deno.test("an attacker's signed artifact does not pass for another plugin, SCN or target", async () => {
  await using directory = await tempDirectory();
  // Of a signer that is trusted: what is wrong is the name that it is put under.
  const own = await signed(directory, { name: "harmless" }, EVIL);
  await using manager = new PluginManager(TRUST);
  const names = [
    own.file.replace("harmless", "pricing"),
    own.file.replace(String(SCN), String(SCN + 1)),
    own.file.replace("any_any", "linux_amd64"),
    own.file.replace("2_0_0", "2_0_1"),
  ];
  for (const file of names) {
    const path = directory.file(file);
    await Deno.copyFile(own.path, path);
    await Deno.copyFile(own.infoPath, path.replace(/\.mjs$/, ".pinf"));
    await assertCode(manager.open(path), file.includes("amd64") ? hostCode() : "integrity");
    // And with an info file that says so, but is not what was signed.
    const { attestation } = own.info;
    const renamed = { ...own.info, name: "pricing", attestation };
    await Deno.writeTextFile(path.replace(/\.mjs$/, ".pinf"), JSON.stringify(renamed, null, 2));
    await assertCode(manager.open(path), file.includes("amd64") ? hostCode("info") : "info");
  }
  await assertCode(manager.openNewest(directory.path, "pricing"), "info");
  assertNothingRan();
});

/** What a platform's artifact is refused for on another one is its platform. */
function hostCode(code: "integrity" | "info" = "integrity"): "integrity" | "info" | "platform" {
  return Deno.build.os === "linux" && Deno.build.arch === "x86_64" ? code : "platform";
}

Deno.test("an older signed version does not come back, under its own name or a newer one", async () => {
  await using directory = await tempDirectory();
  const older = await signed(directory, { scn: SCN }, EVIL);
  const newer = await signed(directory, { scn: SCN + 1 });
  await using manager = new PluginManager(TRUST);
  await manager.open(newer.path);
  await assertCode(manager.open(older.path), "outdated");
  const posing = directory.file(older.file.replace(String(SCN), String(SCN + 2)));
  await Deno.copyFile(older.path, posing);
  const infoPath = directory.file(infoFileName({ ...older.parts, scn: SCN + 2 }));
  await Deno.copyFile(older.infoPath, infoPath);
  await assertCode(manager.open(posing), "integrity");
  await assertCode(manager.openInfo(infoPath), "integrity");
  const { attestation } = older.info;
  const claims = {
    ...older.info,
    scn: SCN + 2,
    artifact: { ...older.info.artifact, file: posing.slice(dirname(posing).length + 1) },
  };
  await Deno.writeTextFile(infoPath, formatInfo({ ...claims, attestation }));
  await assertCode(manager.open(posing), "signature");
  await using floored = new PluginManager({ ...TRUST, initialScn: SCN + 1 });
  await assertCode(floored.open(older.path), "outdated");
  assertNothingRan();
});

Deno.test("another signed artifact's bytes under a signed name are refused", async () => {
  await using directory = await tempDirectory();
  await using elsewhere = await tempDirectory();
  const { path, infoPath } = await signed(directory);
  const evil = await signed(elsewhere, {}, EVIL);
  await using manager = new PluginManager(TRUST);
  await Deno.copyFile(evil.path, path);
  await assertCode(manager.open(path), "integrity");
  await Deno.remove(infoPath);
  await Deno.symlink(evil.infoPath, infoPath);
  await assertCode(manager.open(path), "integrity");
  assertNothingRan();
});

Deno.test("a file that is replaced while it is being opened does not run", async () => {
  await using directory = await tempDirectory();
  const load = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  Object.assign(globalThis, { hotplugTestGate: { began: began.resolve, go: load.promise } });
  const source = `globalThis.hotplugTestGate.began();
    await globalThis.hotplugTestGate.go;
    export const quote = async () => (await import("node:fs")).readFileSync(new URL(import.meta.url), "utf8");`;
  const { path, infoPath, info } = await signed(directory, {}, source);
  await using manager = new PluginManager(TRUST);
  const opening = manager.open(path);
  await began.promise;
  await Deno.writeTextFile(path, EVIL);
  await Deno.writeTextFile(infoPath, "{}");
  load.resolve();
  const generation = await opening;
  assertEquals(await generation.call("quote"), source);
  assertEquals(generation.info, info);
  assertNothingRan();
  Reflect.deleteProperty(globalThis, "hotplugTestGate");
});

Deno.test("files that are swapped all the time run as they were signed, or not at all", async () => {
  await using directory = await tempDirectory();
  await using stage = await tempDirectory();
  const written = await signed(directory);
  const good = [await Deno.readFile(written.path), await Deno.readFile(written.infoPath)] as const;
  const evil = await writeArtifact(stage.path, EVIL, { sign: FOREIGN.signer });
  const bad = [await Deno.readFile(evil.path), await Deno.readFile(evil.infoPath)] as const;
  let stop = false;
  const replace = async (path: string, bytes: Uint8Array): Promise<void> => {
    await Deno.writeFile(stage.file("next"), bytes);
    await Deno.rename(stage.file("next"), path);
  };
  const swapper = (async () => {
    const random = makeRandom();
    while (!stop) {
      await replace(written.path, random.pick([good, bad])[0]);
      await replace(written.infoPath, random.pick([good, bad])[1]);
    }
  })();
  const outcomes = new Map<string, number>();
  for (let count = 0; count < 200; count++) {
    await using manager = new PluginManager(TRUST);
    const outcome = await manager.open(written.path).then(
      (generation) => generation.call<string>("quote"),
      (error: HotplugError) => error.code,
    );
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  stop = true;
  await swapper;
  assertNothingRan();
  const known = new Set(["good", "signature", "integrity", "io"]);
  assertEquals([...outcomes.keys()].filter((each) => !known.has(each)), []);
  assert((outcomes.get("good") ?? 0) > 0 && outcomes.size > 1, Deno.inspect(outcomes));
});

Deno.test("a link that changes where it leads while it is opened leads to nothing unsigned", async () => {
  await using directory = await tempDirectory();
  for (const [folder, source, sign] of [["a", GOOD, KEYS], ["b", EVIL, FOREIGN]] as const) {
    await Deno.mkdir(directory.file(folder));
    await writeArtifact(directory.file(folder), source, { sign: sign.signer });
  }
  const link = directory.file("current");
  await Deno.symlink("a", link);
  const { file } = await signed(directory);
  let stop = false;
  const swapper = (async () => {
    for (let at = 0; !stop; at++) {
      await Deno.symlink(at % 2 === 0 ? "b" : "a", `${link}.next`);
      await Deno.rename(`${link}.next`, link);
    }
  })();
  for (let count = 0; count < 100; count++) {
    await using manager = new PluginManager(TRUST);
    await manager.open(`${link}/${file}`).catch((error) => {
      assert(["signature", "integrity", "io"].includes(error.code), error);
    });
  }
  stop = true;
  await swapper;
  assertNothingRan();
});

Deno.test("rotation: with the retired key out, what it signed is not opened any more", async () => {
  await using directory = await tempDirectory();
  const older = await testKeys("2023");
  const byOlder = await signed(directory, { sign: older.signer });
  const byNewer = await signed(directory, { scn: SCN + 1 });
  await using both = new PluginManager({ trust: [older.publicKey, KEYS.publicKey] });
  await both.open(byOlder.path);
  await both.open(byNewer.path);
  await using retired = new PluginManager(TRUST);
  await assertCode(retired.open(byOlder.path), "signature");
  await retired.open(byNewer.path);
});

Deno.test("with trust keys, conflicts, future SCNs and contracts are told as without", async () => {
  await using directory = await tempDirectory();
  await using elsewhere = await tempDirectory();
  await using manager = new PluginManager({ ...TRUST, contracts: ["pricing/2"] });
  const wanted = { requires: { contract: "pricing/1" } };
  const contract = await signed(directory, { name: "contract", ...wanted }, EVIL);
  await assertCode(manager.open(contract.path), "contract");
  await signed(directory, { name: "fits", requires: { contract: "pricing/2" } });
  await manager.openNewest(directory.path, "fits");
  const scn = scnFromDate(new Date(Date.now() + 86_400_000));
  await assertCode(
    manager.open((await signed(directory, { scn, name: "future" }, EVIL)).path),
    "future",
  );
  const first = await signed(directory);
  await manager.open(first.path);
  const twin = await signed(elsewhere, {}, EVIL);
  await assertCode(manager.open(twin.path), "conflict");
  // A conflict is between signed ones: another one is a forgery.
  const forged = await writeArtifact(elsewhere.path, EVIL, { sign: FOREIGN.signer });
  await assertCode(manager.open(forged.path), "signature");
  await Deno.remove(forged.infoPath);
  await assertCode(manager.open(forged.path), "signature");
  await assertCode(manager.open(first.path), "outdated");
  assertEquals(await manager.current("pricing")?.call("quote"), "good");
  assertNothingRan();
});

Deno.test("a contract that an unsigned info file leaves out is not left out", async () => {
  await using directory = await tempDirectory();
  const { path, infoPath, info } = await signed(directory, { requires: { contract: "pricing/1" } });
  const { requires: _, ...rest } = info;
  await Deno.writeTextFile(infoPath, formatInfo(rest));
  await using manager = new PluginManager(TRUST);
  await assertCode(manager.open(path), "signature");
});

Deno.test("a source map that is not the signed one is left out", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager(TRUST);
  const source = `export const quote = () => { throw new Error("here"); };\n${SOURCE_MAP_LINK}\n`;
  const map = JSON.stringify({ version: 3, sources: ["real.ts"], names: [], mappings: "AAAA" });
  const stackOf = async ({ path }: WrittenArtifact): Promise<string> => {
    const generation = await manager.open(path);
    const error = await generation.call("quote").catch((each: Error) => each) as Error;
    return error.stack ?? "";
  };
  const whole = await signed(directory, { name: "whole", sourceMap: map }, source);
  assertStringIncludes(await stackOf(whole), "real.ts");
  const changed = await signed(directory, { name: "changed", sourceMap: map }, source);
  const file = directory.file(changed.info.sourceMap?.file ?? "");
  await Deno.writeTextFile(file, map.replace("real", "fake"));
  const stack = await stackOf(changed);
  assert(!/real.ts|fake.ts/.test(stack), stack);
});

Deno.test("a gzip bomb in an artifact that is not the signed one is not unpacked", async () => {
  await using directory = await tempDirectory();
  const { path } = await signed(directory, { gzip: true });
  await Deno.writeFile(path, await gzip(new Uint8Array(32 * 2 ** 20)));
  await using manager = new PluginManager({ ...TRUST, maxSize: 2 ** 20 });
  await assertCode(manager.open(path), "integrity");
});

Deno.test("keys that can't be used are refused when the manager is made", () => {
  const wrong: readonly unknown[] = [
    [],
    "",
    KEYS.privateKey,
    [KEYS.publicKey, ""],
    { kty: "RSA" },
    [{ id: "a", key: KEYS.publicKey }, { id: "a", key: FOREIGN.publicKey }],
    null,
    7,
  ];
  for (const trust of wrong) {
    const error = assertThrowsCode(
      () => new PluginManager({ trust: trust as KeySource }),
      "options",
    );
    assertStringIncludes(error.message, `"trust"`);
    assert(!error.message.includes("PRIVATE KEY-----"), error.message);
  }
});
