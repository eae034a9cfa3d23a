import { assertEquals } from "@std/assert";
import { Gateway, type PluginDaemon } from "../daemon/mod.ts";
import { SCN } from "./_artifacts.ts";
import { publish, within } from "./_daemon.ts";
import { nextOf, startGateway, until } from "./_gateway.ts";

/** Answers nothing before it is told to go on; then with a stream that lasts, or a WebSocket. */
const SLOW = `
  let go;
  const gone = new Promise((resolve) => go = resolve);
  export const release = () => go();
  export default {
    async fetch(request) {
      await gone;
      if (request.url.endsWith("/socket")) return Deno.upgradeWebSocket(request).response;
      return new Response(new ReadableStream({}), { headers: { "content-type": "text/event-stream" } });
    },
  };`;

Deno.test("gateway: closed, it ends event streams and WebSockets, too, that are answered only then", async () => {
  await using fixture = await startGateway();
  await publish(fixture.path, SLOW, { name: "slow" });
  await fixture.loaded("slow");
  const { manager } = fixture.daemon;
  const events = fixture.get("/slow/events").then((response) => response.text());
  const socket = new WebSocket(fixture.url("/slow/socket").href.replace("http", "ws"));
  const said = nextOf(socket);
  await until(() => manager.whoHolds("slow").length === 2);
  const closed = fixture.gateway.close({ drain: 60_000 });
  manager.current("slow")?.lookup<() => void>("release")();
  assertEquals(await Promise.all([within(10_000, "the stream's end", events), said]), [
    "",
    "closed 1001",
  ]);
  await within(10_000, "the close", closed);
  assertEquals(manager.whoHolds("slow"), []);
});

/** Gets quiet only when it is told to go on. */
const SHY = `
  let go;
  const gone = new Promise((resolve) => go = resolve);
  let asked;
  const isAsked = new Promise((resolve) => asked = resolve);
  export const whenAsked = () => isAsked;
  export const quiesce = () => (asked(), gone);
  export const release = () => go();
  export default { fetch: () => new Response("whole") };`;

/** A gateway of its own, and what resolves once a request has come to a plugin's gate. */
function watchedGateway(
  daemon: PluginDaemon,
): { readonly gateway: Gateway; readonly arrived: Promise<void> } {
  const { manager } = daemon;
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  const gateway = new Gateway({
    knows: (name) => daemon.knows(name),
    manager: {
      acquire: (name, options) => manager.acquire(name, options),
      drained: (generation) => manager.drained(generation),
      gate: (name) => {
        resolve();
        return manager.gate(name);
      },
    },
  });
  return { gateway, arrived };
}

Deno.test("gateway: closed, a request that waits for a swap is one under way: broken off in the end", async () => {
  await using fixture = await startGateway();
  await publish(fixture.path, SHY, { name: "shy" });
  await fixture.loaded("shy");
  const { daemon } = fixture;
  const { manager } = daemon;
  const first = manager.current("shy");
  await publish(fixture.path, SHY, { name: "shy", scn: SCN + 1 });
  await until(() => manager.gate("shy") !== undefined);

  const { gateway, arrived } = watchedGateway(daemon);
  const answered = fetch(new URL("shy/", await gateway.start())).then(
    () => "answered",
    () => "broken off",
  );
  await arrived;
  await gateway.close();
  assertEquals(await within(10_000, "the request's end", answered), "broken off");

  first?.lookup<() => void>("release")();
  await fixture.loaded("shy", SCN + 1);
  await until(() => manager.whoHolds("shy").length === 0);
});

Deno.test("gateway: closed with its daemon, a request that waits for a swap is answered by the new one", async () => {
  await using fixture = await startGateway();
  await publish(fixture.path, SHY, { name: "shy" });
  await fixture.loaded("shy");
  const { daemon } = fixture;
  const { manager } = daemon;
  const first = manager.current("shy");
  await publish(fixture.path, SHY, { name: "shy", scn: SCN + 1 });
  await first?.lookup<() => Promise<void>>("whenAsked")();

  const { gateway, arrived } = watchedGateway(daemon);
  const answered = fetch(new URL("shy/", await gateway.start()));
  await arrived;
  const drain = 60_000;
  const closed = Promise.all([gateway.close({ drain }), daemon.close({ drain })]);
  // As long as it takes to look twice whether all is idle: nothing tells of that.
  await new Promise((resolve) => setTimeout(resolve, 50));
  first?.lookup<() => void>("release")();
  const { status, headers, body } = await answered;
  await body?.cancel();
  assertEquals([status, headers.get("x-hotplug-scn")], [200, String(SCN + 1)]);
  await within(10_000, "the close", closed);
});
