import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { CommanderError } from "commander";
import { buildCommand } from "../cli/build.ts";
import { builderFixture } from "./_builder_fixture.ts";

async function run(args: readonly string[]) {
  const written = { stdout: "", stderr: "" };
  const command = buildCommand({
    stdout: (text) => written.stdout += text,
    stderr: (text) => written.stderr += text,
    isTerminal: false,
  });
  const error = await command.parseAsync(args, { from: "user" }).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { ...written, error };
}

Deno.test("hotplug build takes further sources, hosts, limits and a frozen lock", async () => {
  await using fixture = await builderFixture({
    "plugin/mod.ts": `export * from "@acme/tax"; export * from "names";`,
    "tax/mod.ts": "export const rate = 0.2;",
    "a=b.ts": "export const name = 1;",
  });
  const { source, dest } = fixture;
  const args = [join(source, "plugin"), "--dest", dest, "--json", "--no-check"];
  const { stdout, error } = await run([
    ...args,
    ...["--dep", `@acme/tax=${join(source, "tax")}`, "--dep", `names=${join(source, "a=b.ts")}`],
    ...["--allow-import", "example.com", "--frozen", "--limit", "entries=3", "--limit", "ratio=9"],
  ]);
  assertEquals(error, undefined);
  const info = JSON.parse(await Deno.readTextFile(JSON.parse(stdout).infoPath));
  assertEquals(info.exports, ["name", "rate"]);
  const limited = await run([...args, "--limit", "totalBytes=5"]);
  assert(limited.error instanceof Error);
  assertStringIncludes(limited.error.message, "more than 5 bytes in all");
});

Deno.test("hotplug build refuses a --dep or a --limit that can't be read as misuse", async () => {
  await using fixture = await builderFixture({ "mod.ts": "" });
  const wrong = [
    ["--dep", "x"],
    ["--dep", "=x"],
    ["--dep", "x="],
    ["--dep", "x=a", "--dep", "x=b"],
    ["--limit", "entries"],
    ["--limit", "entries=0"],
    ["--limit", "entries=many"],
    ["--limit", "size=1"],
    ["--limit", "constructor=1"],
  ];
  for (const flags of wrong) {
    const { error, stderr } = await run([fixture.source, "--dest", fixture.dest, ...flags]);
    assert(error instanceof CommanderError, flags.join(" "));
    assertMatch(stderr, /^error: option .* is invalid/);
  }
});
