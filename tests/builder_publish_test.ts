import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  formatArtifactName,
  lockFileName,
  nextScn,
  type Scn,
  scnFromDate,
  scnToDate,
} from "../artifact/mod.ts";
import { build } from "../builder/mod.ts";
import { publishFiles } from "../builder/files/publish.ts";
import { reserveScn } from "../builder/files/reserve.ts";
import { builderFixture, failureOf, spawnBuild } from "./_builder_fixture.ts";

const PLUGIN = { "mod.ts": "export const a = 1;" };

function artifactFile(name: string, scn: Scn): string {
  return formatArtifactName({
    name,
    scn,
    version: "2.9.5",
    os: "any",
    arch: "any",
    mode: "module",
    compression: "none",
  });
}

function secondsFromNow(seconds: number): Scn {
  return scnFromDate(new Date(Date.now() + seconds * 1000));
}

Deno.test("build() gives eight builds of one process eight SCNs", async () => {
  await using fixture = await builderFixture(PLUGIN);
  const options = { source: fixture.source, dest: fixture.dest, name: "a", check: false };
  const results = await Promise.all(Array.from({ length: 8 }, () => build(options)));
  assertEquals(new Set(results.map(({ scn }) => scn)).size, 8);
  assertEquals((await fixture.list()).length, 24);
});

Deno.test("two processes that build at the same instant both succeed, with two SCNs", async () => {
  await using fixture = await builderFixture(PLUGIN);
  const outcomes = await Promise.all(
    [1, 2].map(() => spawnBuild(fixture.source, fixture.dest).output()),
  );
  const decoder = new TextDecoder();
  for (const { success, stderr } of outcomes) assert(success, decoder.decode(stderr));
  assertEquals(new Set(outcomes.map(({ stdout }) => decoder.decode(stdout))).size, 2);
});

Deno.test("build() takes the second after the newest SCN, be it an artifact's or a lock's", async () => {
  await using fixture = await builderFixture(PLUGIN);
  const { source, dest } = fixture;
  const options = { source, dest, name: "a", check: false };
  const first = secondsFromNow(60);
  await Deno.writeTextFile(join(dest, artifactFile("a", first)), "export {};");
  assertEquals((await build(options)).scn, nextScn(first));
  const held = secondsFromNow(120);
  await Deno.writeTextFile(join(dest, lockFileName("a", held)), "held on another machine");
  assertEquals((await build(options)).scn, nextScn(held));
  await Deno.writeTextFile(join(dest, artifactFile("other", secondsFromNow(300))), "export {};");
  assertEquals((await build(options)).scn, nextScn(nextScn(held)));
});

Deno.test("build() names the file whose SCN lies too far ahead, and builds with more tolerance", async () => {
  await using fixture = await builderFixture(PLUGIN);
  const options = { source: fixture.source, dest: fixture.dest, name: "a", check: false };
  const file = artifactFile("a", secondsFromNow(3600));
  await Deno.writeTextFile(join(fixture.dest, file), "export {};");
  const error = await failureOf(build(options));
  assertEquals(error.code, "future");
  assertStringIncludes(error.message, file);
  assertEquals(await fixture.list(), [file]);
  await build({ ...options, futureTolerance: 2 * 3_600_000 });
});

Deno.test("an explicit SCN may equal one that is there for another target, never for the same", async () => {
  await using fixture = await builderFixture(PLUGIN);
  const scn = secondsFromNow(-60);
  const options = { source: fixture.source, dest: fixture.dest, name: "a", check: false, scn };
  await build({ ...options, targets: ["linux/amd64"] });
  await build({ ...options, targets: ["linux/arm64"] });
  const before = await fixture.list();
  for (const gzip of [false, true]) {
    const error = await failureOf(build({ ...options, targets: ["linux/amd64", "any"], gzip }));
    assertEquals(error.code, "conflict");
  }
  assertEquals(await fixture.list(), before);
  assertEquals((await failureOf(build({ ...options, scn: secondsFromNow(999) }))).code, "future");
});

Deno.test("build() refuses a name that differs from another plugin's only in case", async () => {
  await using fixture = await builderFixture(PLUGIN);
  const file = artifactFile("Pricing", secondsFromNow(-60));
  await Deno.writeTextFile(join(fixture.dest, file), "export {};");
  const error = await failureOf(
    build({ source: fixture.source, dest: fixture.dest, name: "pricing", check: false }),
  );
  assertEquals(error.code, "publish");
  assertStringIncludes(error.message, `"Pricing"`);
  assertEquals(await fixture.list(), [file]);
});

Deno.test("reserveScn() never gives an SCN that another build published between look and lock", async () => {
  await using fixture = await builderFixture();
  const { dest } = fixture;
  const scns = new Set<Scn>();
  const clock = () => scnToDate(20261123014512);
  for (let round = 0; round < 20; round++) {
    await Promise.all([1, 2, 3].map(async () => {
      await using held = await reserveScn(
        { dest, name: "a", futureTolerance: 3_600_000 },
        clock,
      );
      assert(!scns.has(held.scn));
      scns.add(held.scn);
      await Deno.writeTextFile(join(dest, artifactFile("a", held.scn)), "");
    }));
  }
  assertEquals(scns.size, 60);
});

Deno.test("publishFiles() takes back what it made when a later file can't be put there", async () => {
  await using fixture = await builderFixture();
  const { dest } = fixture;
  await Deno.writeTextFile(join(dest, "second"), "was there");
  const content = new TextEncoder().encode("new");
  const files = ["first", "second"].map((file) => ({ file, content }));
  assertEquals((await failureOf(publishFiles(dest, files))).code, "conflict");
  assertEquals(await fixture.list(), ["second"]);
  assertEquals(await Deno.readTextFile(join(dest, "second")), "was there");
});

Deno.test("publishFiles() makes do without links, and then overwrites nothing either", async () => {
  await using fixture = await builderFixture();
  const { dest } = fixture;
  const linkFile = () => Promise.reject(Object.assign(new Error("no links"), { code: "ENOTSUP" }));
  const files = [{ file: "plain", content: new TextEncoder().encode("content") }];
  await publishFiles(dest, files, { linkFile });
  assertEquals(await Deno.readTextFile(join(dest, "plain")), "content");
  assertEquals((await failureOf(publishFiles(dest, files, { linkFile }))).code, "conflict");
  assertEquals(await fixture.list(), ["plain"]);
});
