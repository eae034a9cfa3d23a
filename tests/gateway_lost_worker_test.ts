import { assertEquals } from "@std/assert";
import { publish } from "./_daemon.ts";
import { startGateway } from "./_gateway.ts";

Deno.test("gateway: a plugin whose worker was lost too often has failed, until another version comes", async () => {
  await using fixture = await startGateway({ tier: "worker" });
  const { events } = fixture;
  await publish(fixture.path, "export default { fetch: () => Deno.exit(3) };", { name: "shaky" });
  await fixture.loaded("shaky");
  const ask = async (): Promise<[number, string | null]> => {
    const response = await fixture.get("/shaky/");
    await response.body?.cancel();
    return [response.status, response.headers.get("retry-after")];
  };
  for (let lost = 1; lost <= 3; lost++) {
    assertEquals(await ask(), [502, null]);
    if (lost < 3) {
      await events.next(() => events.of("restarted").length === lost);
    }
  }
  // It is there, and nothing is about to take its place.
  assertEquals(await ask(), [502, null]);
});
