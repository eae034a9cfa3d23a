import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { CommanderError } from "commander";
import { sha256 } from "../artifact/mod.ts";
import { buildCommand } from "../cli/build.ts";
import { builderFixture, failureOf } from "./_builder_fixture.ts";

async function run(args: readonly string[], isTerminal = false) {
  const written = { stdout: "", stderr: "" };
  const command = buildCommand({
    stdout: (text) => written.stdout += text,
    stderr: (text) => written.stderr += text,
    isTerminal,
  });
  const error = await command.parseAsync(args, { from: "user" }).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { ...written, error };
}

const PLUGIN = { "tax.ts": "export const rate = (): number => 0.2;" };

Deno.test("hotplug build --json prints one object a line for each artifact, and nothing else", async () => {
  await using fixture = await builderFixture(PLUGIN);
  const { stdout, stderr, error } = await run([
    join(fixture.source, "tax.ts"),
    ...["--dest", fixture.dest, "--name", "vat", "--gzip", "--json", "--no-check"],
    ...["--target", "linux-x64", "--target", "any", "--scn", "20260101000000"],
  ]);
  assertEquals([error, stderr], [undefined, ""]);
  const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ target }) => target), ["linux/amd64", "any"]);
  for (const line of lines) {
    assertEquals([line.type, line.name, line.scn], ["built", "vat", 20260101000000]);
    const bytes = await Deno.readFile(line.path);
    assertEquals([line.size, line.sha256], [bytes.byteLength, sha256(bytes)]);
    assertEquals(Object.keys(line.content), ["size", "sha256"]);
    assert((await Deno.stat(line.infoPath)).isFile && (await Deno.stat(line.sourceMapPath)).isFile);
    assert(Number.isInteger(line.durationMs));
  }
});

Deno.test("hotplug build prints short lines for people, in colour on a terminal only", async () => {
  await using fixture = await builderFixture(PLUGIN);
  const args = [join(fixture.source, "tax.ts"), "--dest", fixture.dest, "--no-check"];
  const plain = await run(args);
  assertMatch(
    plain.stdout,
    /^built tax \d{14} in \d+\.\d\d s\n {2}any {2}\d+ B {2}[0-9a-f]{12} {2}/,
  );
  // deno-lint-ignore no-control-regex
  assertMatch((await run(args, true)).stdout, /^\x1b\[32mbuilt/);
});

Deno.test("hotplug build throws misuse as commander's errors, and failures as typed ones", async () => {
  await using fixture = await builderFixture(PLUGIN);
  for (
    const args of [[], ["x"], ["x", "--dest", "y", "--target", "z"], ["x", "--nope"], [
      ...["x", "--dest", "y", "--scn", "1"],
    ]]
  ) {
    const { error, stderr, stdout } = await run(args);
    assert(error instanceof CommanderError, args.join(" "));
    assertEquals([stdout, error.exitCode], ["", 1]);
    assertMatch(stderr, /^error: /);
  }
  const { error } = await run([join(fixture.root, "gone"), "--dest", fixture.dest]);
  assertEquals((await failureOf(Promise.reject(error))).code, "source");
});
