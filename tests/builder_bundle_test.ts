import { assertEquals, assertStringIncludes } from "@std/assert";
import { bundle } from "../builder/bundle/bundle.ts";
import { type CommandOutcome, type CommandRunner, runCommand } from "../builder/run_command.ts";
import { builderFixture, failureOf } from "./_builder_fixture.ts";
import { bundleRequest } from "./_bundle_request.ts";

/** As Deno 2.9.5 has said it, where several builds began with one empty cache. */
const RACE: CommandOutcome = {
  code: 1,
  stdout: "",
  stderr:
    "error: failed to copy esbuild binary from cache/bin/esbuild to cache/.esbuild-1.tmp\n\n" +
    "Caused by:\n    No such file or directory (os error 2)\n",
};

/** Fails so often as if another build brought esbuild in; counts how often it was asked to bundle. */
function racing(times: number): { readonly run: CommandRunner; readonly bundled: () => number } {
  let count = 0;
  return {
    bundled: () => count,
    run: (command, signal) =>
      command.args[0] === "bundle" && count++ < times
        ? Promise.resolve(RACE)
        : runCommand(command, signal),
  };
}

Deno.test("bundle() tries again what another build has got in the way of, and not for ever", async () => {
  await using fixture = await builderFixture({
    "src/mod.ts": "export const answer = () => 42;",
    "src/deno.json": "{}",
  });
  const passing = racing(2);
  const { code } = await bundle(bundleRequest(fixture.source), passing.run);
  assertStringIncludes(code, "42");
  assertEquals(passing.bundled(), 3);
  const lasting = racing(Infinity);
  const error = await failureOf(bundle(bundleRequest(fixture.source), lasting.run));
  assertEquals([error.code, lasting.bundled()], ["bundle", 4]);
  assertStringIncludes(error.message, "failed to copy esbuild binary");
});
