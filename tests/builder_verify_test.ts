import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { build, type BuildProgress, verifyBuild } from "../builder/mod.ts";
import { builderFixture, PRICING } from "./_builder_fixture.ts";
import { hotplug } from "./_cli.ts";
import { assertCode } from "./_errors.ts";
import { executableFixture, executableTest, onlyArtifact } from "./_executable.ts";

Deno.test("a source that builds the artifact is told from one that does not", async (t) => {
  await using fixture = await builderFixture();
  const { dest } = fixture;
  const options = { gzip: true, contract: "pricing/2", permissions: { net: ["example.com"] } };
  const made = await build({ source: PRICING, dest, targets: ["linux/arm64"], ...options });
  const { path: artifact, info } = onlyArtifact(made);

  await t.step("from another folder, later, in another place", async () => {
    const moved = await copyOf(fixture.source, {});
    const told: BuildProgress["type"][] = [];
    const onProgress = ({ type }: BuildProgress) => told.push(type);
    const result = await verifyBuild({ artifact, source: moved, onProgress });
    assertEquals(result, { same: true, sameSource: true, differences: [], info });
    assertEquals(told, ["unpacked", "bundled"]);
  });

  await t.step("what is no part of an artifact may differ in the source", async () => {
    const source = await copyOf(fixture.source, { "mod.ts": (text) => `// a comment\n${text}` });
    const result = await verifyBuild({ artifact, source });
    // A line more is a line more in the map.
    assertEquals(result.differences.map(({ field }) => field), ["sourceMap.sha256"]);
    const noted = await copyOf(fixture.source, { "README.md": () => "# Read me\n" });
    const { same, sameSource } = await verifyBuild({ artifact, source: noted });
    assertEquals([same, sameSource], [true, false]);
  });

  await t.step("what is part of it may not", async () => {
    const source = await copyOf(fixture.source, {
      "lib/discount.ts": (text) => text.replace("percent: 15", "percent: 16"),
    });
    const { same, differences } = await verifyBuild({ artifact, source });
    assertEquals(same, false);
    const [first] = differences;
    assertEquals([first?.field, first?.artifact], ["content.sha256", info.content.sha256]);
    assertMatch(String(first?.rebuilt), /^[0-9a-f]{64}$/);
  });

  await t.step("nor may the options that it was built with", async () => {
    const { same } = await verifyBuild({ artifact, source: PRICING, minify: false });
    assertEquals(same, false);
    const { differences } = await verifyBuild({ artifact, source: PRICING, contract: "pricing/3" });
    assertEquals(differences, [{
      field: "requires",
      artifact: { contract: "pricing/2" },
      rebuilt: { contract: "pricing/3" },
    }]);
  });

  await t.step("nothing is published, and nothing is left", async () => {
    const stem = `pricing_${made.scn}_2_9_5_linux_arm64`;
    assertEquals(await fixture.list(), [`${stem}.mjs.gz`, `${stem}.mjs.map`, `${stem}.pinf`]);
  });

  await t.step("a file that was changed is refused before anything is built", async () => {
    const bytes = await Deno.readFile(artifact);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await Deno.writeFile(artifact, bytes);
    const error = await assertCode(verifyBuild({ artifact, source: PRICING }), "integrity");
    assertStringIncludes(error.message, "it is not the file that its info file tells of");
  });

  await t.step("one without an info file, or that is none, is refused by name", async () => {
    await Deno.remove(artifact.replace(/\.mjs\.gz$/, ".pinf"));
    const bare = await assertCode(verifyBuild({ artifact, source: PRICING }), "incomplete");
    assertStringIncludes(bare.message, ".pinf");
    await assertCode(verifyBuild({ artifact: join(dest, "x.mjs"), source: PRICING }), "name");
  });
});

Deno.test("hotplug build --verify ends with 0 for the same, and with 1 and what differs else", async () => {
  await using fixture = await builderFixture({ "tax.ts": "export const rate = VAT;" });
  const { source, dest } = fixture;
  const file = join(source, "tax.ts");
  const flags = ["--no-check", "--define", "VAT:=20"];
  const built = await hotplug("build", file, "--dest", dest, "--json", ...flags);
  const { path, scn } = JSON.parse(built.stdout);

  const same = await hotplug("build", "--verify", path, file, ...flags);
  assertEquals(same.code, 0);
  assertMatch(same.stdout, /^same tax \d{14} any, Deno 2\.9\.\d+, content [0-9a-f]{12}\n$/);
  assertMatch(same.stderr, /^unpacked .*\nbundled .*\n$/);
  const other = await hotplug("build", "--verify", path, file, "--no-check", "--quiet");
  assertEquals([other.code, other.stdout], [1, ""]);
  assertMatch(other.stderr, /^error: Not the same: the source does not build "tax_/);
  assertMatch(
    other.stderr,
    /^ {2}content\.sha256: [0-9a-f]{64} in the artifact, [0-9a-f]{64} reb/m,
  );
  const json = await hotplug("build", "--verify", path, file, "--no-check", "--json");
  assertEquals(json.code, 1);
  const [verified, error] = json.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals([verified.type, verified.same, verified.scn, error.code], [
    "verified",
    false,
    scn,
    "integrity",
  ]);
  assert(verified.differences.some(({ field }: { field: string }) => field === "content.sha256"));
});

executableTest(
  "an executable is verified by the Deno and the permissions it was built with",
  async () => {
    await using fixture = await executableFixture();
    const text = `if (import.meta.main) console.log("one");`;
    const made = onlyArtifact(await fixture.build(text, { permissions: { env: true } }));
    const { denortMirror = "", cacheDir = "" } = fixture.options;
    const options = { artifact: made.path, denortMirror, cacheDir };
    const source = fixture.file("build-1", "tool.ts");
    assertEquals((await verifyBuild({ ...options, source })).differences, []);
    const { differences } = await verifyBuild({
      ...options,
      source,
      permissions: { env: ["HOME"] },
    });
    assertEquals(differences.map(({ field }) => field), ["artifact.sha256", "permissions"]);
  },
);

let copies = 0;

/** A copy of the example below a folder, with files changed or added. */
async function copyOf(
  folder: string,
  changes: Readonly<Record<string, (text: string) => string>>,
): Promise<string> {
  const to = join(folder, `copy ${++copies}`);
  await Deno.mkdir(join(to, "lib"), { recursive: true });
  for (const file of ["deno.json", "mod.ts", "lib/discount.ts", ...Object.keys(changes)]) {
    const text = await Deno.readTextFile(join(PRICING, file)).catch(() => "");
    await Deno.writeTextFile(join(to, file), changes[file]?.(text) ?? text);
  }
  return to;
}
