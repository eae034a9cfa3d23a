import { assert, assertEquals } from "@std/assert";
import { basename } from "@std/path";
import { type InfoFile, lockFileName, sha256 } from "../artifact/mod.ts";
import { PluginManager } from "../manager/mod.ts";
import { gzip, SCN, writeArtifact } from "./_artifacts.ts";
import { assertCode } from "./_errors.ts";
import { tempDirectory } from "./_temp.ts";

const SOURCE = "export const quote = (n) => n * 2; // a comment for some length\n".repeat(1) +
  "export const more = 'of this and that';\n";
const WRONG = sha256("something else");

const wrongs: Record<string, (info: InfoFile) => Partial<InfoFile>> = {
  "artifact size": ({ artifact }) => ({ artifact: { ...artifact, size: artifact.size + 1 } }),
  "artifact digest": ({ artifact }) => ({ artifact: { ...artifact, sha256: WRONG } }),
  "content size": ({ content }) => ({ content: { ...content, size: content.size - 1 } }),
  "content digest": ({ content }) => ({ content: { ...content, sha256: WRONG } }),
  "file": ({ artifact }) => ({
    artifact: { ...artifact, file: artifact.file.replace("pricing", "other") },
  }),
  "compression": ({ artifact }) => ({ artifact: { ...artifact, compression: "none" } }),
  "mode": () => ({ mode: "executable" }),
  "name": () => ({ name: "other" }),
  "SCN": () => ({ scn: SCN + 1 }),
  "version": ({ runtime }) => ({ runtime: { ...runtime, version: "2.1.0" } }),
  "platform": ({ runtime }) => ({ runtime: { ...runtime, os: "linux", arch: "arm64" } }),
  "format": () => ({ format: 2 as 1 }),
};

for (const [what, wrong] of Object.entries(wrongs)) {
  Deno.test(`an info file with a wrong ${what} keeps its artifact from loading`, async () => {
    await using directory = await tempDirectory();
    const { info } = await writeArtifact(directory.path, SOURCE, { gzip: true });
    const { path, infoPath } = await writeArtifact(directory.path, SOURCE, {
      gzip: true,
      info: wrong(info),
    });
    await using manager = new PluginManager();
    for (const open of [() => manager.open(path), () => manager.openInfo(infoPath)]) {
      try {
        await open();
        assert(false, "it was opened");
      } catch (error) {
        const { code, message } = error as { code: string; message: string };
        assert(["info", "integrity"].includes(code), `${code}: ${error}`);
        assert(message.includes(`pricing_${SCN}_2_0_0_any_any.`), `which file? ${message}`);
      }
    }
    assertEquals(manager.current("pricing"), undefined);
  });
}

Deno.test("the info file of another artifact with the same stem is refused", async () => {
  await using directory = await tempDirectory();
  await using elsewhere = await tempDirectory();
  const plain = await writeArtifact(directory.path, SOURCE, { info: false });
  const packed = await writeArtifact(elsewhere.path, SOURCE, { gzip: true });
  await Deno.copyFile(packed.infoPath, plain.infoPath);
  await using manager = new PluginManager();
  await assertCode(manager.open(plain.path), "integrity");
});

Deno.test("an info file that is no JSON, too large or a folder is refused", async () => {
  await using directory = await tempDirectory();
  const { path, infoPath } = await writeArtifact(directory.path, SOURCE, { info: false });
  await using manager = new PluginManager();
  for (const text of ["", "{", "null", "[]", '{"format":1}']) {
    await Deno.writeTextFile(infoPath, text);
    for (const open of [() => manager.open(path), () => manager.openInfo(infoPath)]) {
      const { message } = await assertCode(open(), "info");
      assert(message.includes(basename(infoPath)), `which file? ${message}`);
    }
  }
  await Deno.truncate(infoPath, 2 ** 21);
  await assertCode(manager.open(path), "limit");
  await Deno.remove(infoPath);
  await Deno.mkdir(infoPath);
  await assertCode(manager.open(path), "integrity");
});

Deno.test("an info file whose target is gone does not make its artifact a bare one", async () => {
  await using directory = await tempDirectory();
  const { path, infoPath } = await writeArtifact(directory.path, SOURCE, { info: false });
  await Deno.symlink("nowhere", infoPath);
  await using manager = new PluginManager();
  await assertCode(manager.open(path), "io");
});

Deno.test("a host that requires info files takes no bare module", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, SOURCE, { info: false });
  await using strict = new PluginManager({ requireInfo: true });
  await assertCode(strict.open(path), "incomplete");
  await assertCode(strict.openNewest(directory.path, "pricing"), "incomplete");
  await using manager = new PluginManager();
  assertEquals((await manager.open(path)).info, undefined);
});

Deno.test("an artifact whose lock is there is incomplete, and loads once it is gone", async () => {
  await using directory = await tempDirectory();
  const { path, infoPath } = await writeArtifact(directory.path, SOURCE);
  const lock = directory.file(lockFileName("pricing", SCN));
  await Deno.writeTextFile(lock, "");
  await using manager = new PluginManager();
  await assertCode(manager.open(path), "incomplete");
  await assertCode(manager.openInfo(infoPath), "incomplete");
  await assertCode(manager.openNewest(directory.path, "pricing"), "not-found");
  await Deno.remove(lock);
  assertEquals((await manager.open(path)).scn, SCN);
});

Deno.test("gzip that is cut, goes on or is none is refused", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  const { path } = await writeArtifact(directory.path, SOURCE, { gzip: true, info: false });
  const whole = await Deno.readFile(path);
  const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(parts.flatMap((p) => [...p]));
  const broken: Record<string, Uint8Array> = {
    "empty": new Uint8Array(),
    "header": whole.subarray(0, 10),
    "cut by one byte": whole.subarray(0, -1),
    "cut by its trailer": whole.subarray(0, -8),
    "cut in half": whole.subarray(0, whole.length / 2),
    "garbage at its end": join(whole, new TextEncoder().encode("garbage")),
    "a zero at its end": join(whole, new Uint8Array(1)),
    "plain text": new TextEncoder().encode(SOURCE),
  };
  for (const [what, bytes] of Object.entries(broken)) {
    await Deno.writeFile(path, bytes);
    const error = await assertCode(manager.open(path), "integrity");
    assert(error.message.includes("gzip"), what);
  }
  await Deno.writeFile(path, whole);
  assertEquals((await manager.open(path)).scn, SCN);
});

Deno.test("a gzip bomb is given up at the limit", async () => {
  await using directory = await tempDirectory();
  const bomb = await gzip(new Uint8Array(50_000_000));
  const { path } = await writeArtifact(directory.path, SOURCE, { gzip: true, info: false });
  // Who reads on to the end finds it damaged, and says so instead.
  await Deno.writeFile(path, bomb.subarray(0, -100));
  assert(bomb.length < 100_000);
  await using patient = new PluginManager();
  await assertCode(patient.open(path), "integrity");
  await using manager = new PluginManager({ maxSize: 1_000_000 });
  await assertCode(manager.open(path), "limit");
});

Deno.test("a file past the limit is refused without being read", async () => {
  await using directory = await tempDirectory();
  const { path } = await writeArtifact(directory.path, SOURCE);
  // More than anybody could read while this test lasts.
  await Deno.truncate(path, 2 ** 40);
  await using manager = new PluginManager();
  await assertCode(manager.open(path), "limit");
});

Deno.test("a large artifact is read whole", async () => {
  await using directory = await tempDirectory();
  await using manager = new PluginManager();
  const lines = Array.from({ length: 50_000 }, (_, n) => `// ${n} and some text after it`);
  const source = ["export const first = 1;", ...lines, "export const last = 2;"].join("\n");
  for (const init of [{ name: "plain" }, { name: "packed", gzip: true }]) {
    const { path, info } = await writeArtifact(directory.path, source, init);
    const generation = await manager.open(path);
    assert(info.content.size > 1_000_000);
    assertEquals(generation.symbols, ["first", "last"]);
    assertEquals(generation.sha256, info.content.sha256);
  }
});

Deno.test("content that fits the limit to the byte is taken", async () => {
  await using directory = await tempDirectory();
  const size = 10_000;
  await using exact = new PluginManager({ maxSize: size });
  await using short = new PluginManager({ maxSize: size - 1 });
  for (const init of [{ name: "plain" }, { name: "packed", gzip: true }]) {
    const { path } = await writeArtifact(directory.path, SOURCE.padEnd(size), init);
    assertEquals((await exact.open(path)).name, init.name);
    if (!init.gzip) await assertCode(short.open(path), "limit");
  }
});

Deno.test("a single flipped bit anywhere in an artifact keeps it from loading", async () => {
  await using directory = await tempDirectory();
  for (const init of [{ gzip: false }, { gzip: true, scn: SCN + 1 }]) {
    const { path } = await writeArtifact(directory.path, SOURCE, init);
    await assertEveryFlipRefused(path, path);
  }
});

Deno.test("a flipped bit in an info file never lets other content load", async () => {
  await using directory = await tempDirectory();
  const { path, infoPath, info } = await writeArtifact(directory.path, SOURCE);
  const text = new TextDecoder().decode(await Deno.readFile(infoPath));
  // What the rest says is not about the bytes; without a signature nobody can tell.
  const until = text.indexOf('"exports"');
  await assertEveryFlipRefused(infoPath, path, text.indexOf("{") + 1, until, (generation) => {
    assertEquals(generation.sha256, info.content.sha256);
  });
});

/** Flips one bit at about fifty positions between `from` and `to`. */
async function assertEveryFlipRefused(
  flipped: string,
  opened: string,
  from = 0,
  to = Infinity,
  orElse?: (generation: { readonly sha256: string }) => void,
): Promise<void> {
  const bytes = await Deno.readFile(flipped);
  const end = Math.min(to, bytes.length);
  const step = Math.max(1, Math.floor((end - from) / 50));
  for (let at = from; at < end; at += step) {
    const broken = bytes.slice();
    broken[at] = (broken[at] ?? 0) ^ (1 << (at % 8));
    await Deno.writeFile(flipped, broken);
    await using manager = new PluginManager();
    let generation;
    try {
      generation = await manager.open(opened);
    } catch (error) {
      const { code } = error as { code: string };
      assert(["integrity", "info"].includes(code), `byte ${at}: ${error}`);
      continue;
    }
    assert(orElse, `byte ${at}: it was opened`);
    orElse(generation);
  }
  await Deno.writeFile(flipped, bytes);
}
