import { assertEquals } from "@std/assert";
import { build } from "../builder/mod.ts";
import { bundle } from "../builder/bundle/bundle.ts";
import { runCommand } from "../builder/run_command.ts";
import { builderFixture, failureOf, PRICING } from "./_builder_fixture.ts";
import { bundleRequest } from "./_bundle_request.ts";

Deno.test("build() that is cancelled after any step leaves nothing behind", async () => {
  for (const step of ["unpacked", "bundled", "reserved"]) {
    await using fixture = await builderFixture();
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const error = await failureOf(build({
      source: PRICING,
      dest: fixture.dest,
      check: false,
      signal: controller.signal,
      onProgress: ({ type }) => type === step && controller.abort(reason),
    }));
    assertEquals([error.code, error.cause], ["cancelled", reason]);
    assertEquals(await fixture.list(), []);
  }
});

Deno.test("build() whose signal is aborted already does not begin", async () => {
  await using fixture = await builderFixture();
  const options = { source: PRICING, dest: `${fixture.dest}/new`, signal: AbortSignal.abort() };
  assertEquals((await failureOf(build(options))).code, "cancelled");
  assertEquals(await fixture.list(), []);
});

Deno.test("bundle() that is cancelled ends its child", async () => {
  await using fixture = await builderFixture({ "src/mod.ts": "", "src/deno.json": "{}" });
  const controller = new AbortController();
  const request = {
    ...bundleRequest(fixture.source),
    check: true,
    signal: controller.signal,
  };
  let code = 0;
  const error = await failureOf(bundle(request, async (command, signal) => {
    const args = ["eval", "setInterval(() => {}, 1000)"];
    const running = runCommand({ ...command, args }, signal);
    controller.abort();
    const outcome = await running;
    code = outcome.code;
    return outcome;
  }));
  assertEquals([error.code, code], ["cancelled", 137]);
});
