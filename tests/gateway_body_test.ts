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

for (const tier of ["inline", "worker", "process"] as const) {
  Deno.test(`gateway: in tier ${tier}, a stream that has nothing to say ends when its client goes`, async () => {
    await using fixture = await startGateway({ tier });
    const source = `
      const left = new Map();
      const leave = (path) => left.get(path) ?? left.set(path, Promise.withResolvers()).get(path);
      export const whenLeft = async (path) => void await leave(path).promise;
      export default {
        fetch({ url }) {
          const { pathname } = new URL(url);
          const type = pathname.endsWith("events") ? "text/event-stream" : "text/plain";
          const body = new ReadableStream({
            start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\\n\\n")),
            cancel: () => leave(pathname).resolve(),
          });
          return new Response(body, { headers: { "content-type": type } });
        },
      };`;
    await publish(fixture.path, source, { name: "quiet" });
    await fixture.loaded("quiet");
    const generation = fixture.daemon.manager.current("quiet");
    for (const path of ["/quiet/get/events", "/quiet/get/text"]) {
      const going = new AbortController();
      const { body } = await fixture.get(path, { signal: going.signal });
      await body?.getReader().read();
      going.abort();
      await generation?.call("whenLeft", path);
    }
    for (const path of ["/quiet/head/events", "/quiet/head/text"]) {
      await fixture.get(path, { method: "HEAD" });
      await generation?.call("whenLeft", path);
    }
    await until(() => fixture.daemon.manager.whoHolds("quiet").length === 0);
  });
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
