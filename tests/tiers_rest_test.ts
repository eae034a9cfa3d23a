import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { assertCode } from "./_errors.ts";
import { REMOTE_TIERS, type TierFixture, tierFixture } from "./_tiers.ts";

/** Its process or worker writes down which hooks are called in it. */
function tellingSource(fixture: TierFixture, tag: string, more = ""): string {
  const path = JSON.stringify(join(fixture.directory, "told"));
  return `
const tell = (what) => Deno.writeTextFileSync(${path}, "${tag} " + what + "\\n", { append: true });
export const activate = ({ reason, state }) => tell(\`activate: \${reason}, \${state}\`);
export const handover = () => "state of ${tag}";
export const deactivate = () => tell("deactivate");
export const end = () => Deno.exit(3);
export const who = () => "${tag}";
${more}`;
}

async function told(fixture: TierFixture): Promise<string[]> {
  const text = await Deno.readTextFile(join(fixture.directory, "told"));
  return text.trim().split("\n");
}

for (const tier of REMOTE_TIERS) {
  const options = { tier, permissions: { write: true }, moveLostWorkers: false } as const;
  const init = tier === "process" ? { permissions: { write: true } } as const : {};

  Deno.test(`a parked ${tier} that has ended is not started until a rollback activates it, once and with what is handed over`, async () => {
    await using fixture = await tierFixture(options);
    const { manager, events } = fixture;
    const one = await fixture.open(tellingSource(fixture, "one"), init);
    await fixture.open(tellingSource(fixture, "two"), init);
    await events.next(({ type }) => type === "parked");
    await assertCode(one.call("end"), "crashed");
    await assertCode(one.call("who"), "retired");

    assertEquals(await manager.rollback("pricing"), one);
    assertEquals(await one.call("who"), "one");
    await events.next((event) => event.type === "parked" && event.scn !== one.scn);
    assertEquals(events.of("restarted"), []);
    assertEquals(await told(fixture), [
      "one activate: load, undefined",
      "two activate: load, state of one",
      "one deactivate",
      "one activate: rollback, state of two",
      "two deactivate",
    ]);
  });

  Deno.test(`a ${tier} that ends again and again is started no more once it is rolled back from`, async () => {
    await using fixture = await tierFixture({ ...options, probation: { crashes: 1 } });
    const { manager, events } = fixture;
    const one = await fixture.open(tellingSource(fixture, "one"), init);
    const ends = "setTimeout(() => Deno.exit(9), 150);";
    const bad = await fixture.open(tellingSource(fixture, "bad", ends), init);
    await events.next(({ type }) => type === "rolled-back", 20_000);
    await assertCode(bad.call("who"), "retired");
    // Longer than the pause before it would have been started again.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    assertEquals(manager.status()[0]?.generations.map(({ crashes }) => crashes), [0, 2]);
    assertEquals((await told(fixture)).at(-1), "one activate: rollback, undefined");
    assertEquals(await one.call("who"), "one");
  });
}

Deno.test("a process whose deactivate never returns is ended, and a rollback starts it again", async () => {
  await using fixture = await tierFixture({ tier: "process", hookDeadlines: { deactivate: 200 } });
  const { manager, events } = fixture;
  const one = await fixture.open(
    "export function deactivate() { for (;;); } export const who = () => 1;",
  );
  await fixture.open("export const who = () => 2;");
  const late = await events.next((event) => event.type === "failed" && event.name === "pricing");
  assert(late.type === "failed" && late.code === "deactivation");
  await events.next((event) => event.type === "failed" && event.code === "crashed");
  await manager.rollback("pricing");
  assertEquals(await one.call("who"), 1);
});
