import { assert, assertEquals } from "@std/assert";
import { publish } from "./_daemon.ts";
import { startGateway, until } from "./_gateway.ts";

for (const tier of ["inline", "worker", "process"] as const) {
  for (const type of ["text/plain", "text/event-stream"]) {
    Deno.test(`gateway: in tier ${tier}, a body of ${type} with what is no bytes is broken off, and holds nothing`, async () => {
      await using fixture = await startGateway({ tier });
      // It never ends by itself.
      const source = `
        export default {
          fetch: () => new Response(
            new ReadableStream({ start: (controller) => controller.enqueue("text") }),
            { headers: { "content-type": "${type}" } },
          ),
        };`;
      await publish(fixture.path, source, { name: "text" });
      await fixture.loaded("text");
      const response = await fixture.get("/text/");
      let failed = false;
      await response.text().catch(() => failed = true);
      assert(failed);
      await until(() => fixture.daemon.manager.whoHolds("text").length === 0);
      await until(() => fixture.gateway.streams === 0);
    });
  }
}

Deno.test("gateway: what a body does once its client is gone is its own plugin's, whoever came last", async () => {
  await using fixture = await startGateway();
  const names = ["one", "other", "last"];
  for (const name of names) {
    const source = `
      export default {
        fetch: () => new Response(
          new ReadableStream({
            pull: (controller) => controller.enqueue(new Uint8Array(1_000)),
            cancel() {
              Promise.reject("${name} is left");
            },
          }),
        ),
      };`;
    await publish(fixture.path, source, { name });
    await fixture.loaded(name);
  }
  for (const name of names) {
    const going = new AbortController();
    const { body } = await fixture.get(`/${name}/`, { signal: going.signal });
    await body?.getReader().read();
    going.abort();
    const told = await fixture.events.next((event) =>
      event.type === "failed" && event.message.endsWith(`${name} is left`)
    );
    assertEquals([told.type, "name" in told && told.name], ["failed", name]);
  }
});
