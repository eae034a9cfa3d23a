import { assert, assertEquals } from "@std/assert";
import { isRetryable, type Tier } from "../manager/mod.ts";
import { assertCode } from "./_errors.ts";
import { REMOTE_TIERS, tierFixture } from "./_tiers.ts";

for (const tier of REMOTE_TIERS) {
  Deno.test(`after a crash in a ${tier} the plugin's next versions are tried in a process before they come in here, and others are not`, async () => {
    let chosen: Tier = tier;
    await using fixture = await tierFixture({ tier: () => chosen });
    const marks = `${fixture.directory}/marks`;
    // Its top level runs once more in a preflight.
    const marking = `Deno.writeTextFileSync(${JSON.stringify(marks)}, "x", { append: true });`;
    const crashing = await fixture.open("export const end = () => Deno.exit(3);");
    const lost = await assertCode(crashing.call("end"), "crashed");
    assert(isRetryable(lost));
    await fixture.events.next((event) => event.type === "failed" && event.code === "crashed");

    chosen = "inline";
    const refused = await assertCode(fixture.open("Deno.exit(5);"), "crashed");
    assert(refused.message.includes("code 5"), refused.message);
    assertEquals(fixture.manager.current("pricing"), crashing);
    await fixture.open(marking);
    assertEquals(await Deno.readTextFile(marks), "xx");

    await Deno.remove(marks);
    await fixture.open(marking, { name: "other" });
    assertEquals(await Deno.readTextFile(marks), "x");
  });
}

Deno.test("what a plugin throws itself is nothing to try again, nor is what it does not have", async () => {
  await using fixture = await tierFixture({ maxInFlight: 1 });
  const plugin = await fixture.open(
    "export const fails = () => { throw new TypeError('no'); }; export const never = () => new Promise(() => {});",
  );
  for (const symbol of ["fails", "nothing"]) {
    assertEquals(isRetryable(await plugin.call(symbol).catch((error) => error)), false);
  }
  void plugin.call("never");
  assertEquals(isRetryable(await plugin.call("fails").catch((error) => error)), true);
  assertEquals([isRetryable("crashed"), isRetryable(undefined)], [false, false]);
});
